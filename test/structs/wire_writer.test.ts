import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireWriter, written } from '../../src/structs/wire_writer.ts';
import { forAll } from '../property.ts';

type Field =
  | { readonly kind: 'uint32' | 'uint64'; readonly value: number }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes' | 'raw'; readonly value: Uint8Array }
  | { readonly kind: 'message'; readonly value: readonly Field[] };

const number = fc.integer({ min: 1, max: 2 ** 29 - 1 });
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }), // lone surrogates included
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 5 }).map((some) => some.repeat(1000)),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ minLength: 5000, maxLength: 20_000 }),
);
const { message } = fc.letrec<{ message: readonly Field[]; field: Field }>((tie) => ({
  message: fc.array(tie('field'), { maxLength: 6, depthIdentifier: 'message' }),
  field: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'message' },
    fc.record({ kind: fc.constant('uint32' as const), value: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
    fc.record({ kind: fc.constant('uint64' as const), value: fc.maxSafeNat() }),
    fc.record({ kind: fc.constant('double' as const), value: fc.double({ noNaN: true }) }),
    fc.record({ kind: fc.constant('bool' as const), value: fc.boolean() }),
    fc.record({ kind: fc.constant('string' as const), value: text }),
    fc.record({ kind: fc.constantFrom('bytes' as const, 'raw' as const), value: bytes }),
    fc.record({ kind: fc.constant('message' as const), value: tie('message') }),
  ),
}));

/** Writes the fields, the `i`th with the number `i + 1`. */
function write(writer: WireWriter | BinaryWriter, fields: readonly Field[]): void {
  for (const [index, field] of fields.entries()) {
    const tag = (type: WireType) => writer.tag(index + 1, type);
    switch (field.kind) {
      case 'uint32':
        tag(WireType.Varint).uint32(field.value);
        break;
      case 'uint64':
        tag(WireType.Varint).uint64(field.value);
        break;
      case 'double':
        tag(WireType.Bit64).double(field.value);
        break;
      case 'bool':
        tag(WireType.Varint).bool(field.value);
        break;
      case 'string':
        tag(WireType.LengthDelimited).string(field.value);
        break;
      case 'bytes':
        tag(WireType.LengthDelimited).bytes(field.value);
        break;
      case 'raw':
        writer.raw(field.value);
        break;
      case 'message':
        tag(WireType.LengthDelimited).fork();
        write(writer, field.value);
        writer.join();
    }
  }
}

describe('a writer of messages', () => {
  it('writes what the library does, one message after the other, and touches none that is finished', () => {
    const writer = new WireWriter();
    forAll([fc.array(message, { maxLength: 8 })], (messages) => {
      const written = messages.map((fields) => {
        write(writer, fields);
        return writer.finish();
      });
      const expected = messages.map((fields) => {
        const library = new BinaryWriter();
        write(library, fields);
        return Buffer.from(library.finish());
      });
      expect(written).toEqual(expected);
    });
  });

  it('writes tags of any number', () => {
    forAll([number], (each) => {
      const library = new BinaryWriter().tag(each, WireType.Varint).finish();
      expect(new WireWriter().tag(each, WireType.Varint).finish()).toEqual(Buffer.from(library));
    });
  });
});

describe('what is written while something else is', () => {
  const inner = () => written((writer) => writer.string('inner'));
  const outer = () => written((writer) => writer.bytes(inner()).bytes(inner()));

  it('does not get in its way', () => {
    expect(outer().toString()).toBe('\x06\x05inner\x06\x05inner');
  });

  it('takes memory a slab at a time, as anything does', () => {
    const slabs = new Set(Array.from({ length: 100 }, () => inner().buffer));
    for (let time = 0; time < 100; time++) {
      slabs.add(outer().buffer);
      written((writer) => writer.raw(inner()) && slabs.add(inner().buffer));
    }
    expect(slabs.size).toBeLessThan(6); // 3 kB by two writers
  });

  it('is not mixed up with what could not be finished', () => {
    const failing = () =>
      written((writer) => {
        writer.string('half a');
        throw new Error('message');
      });
    expect(failing).toThrow('message');
    expect(outer().toString()).toBe('\x06\x05inner\x06\x05inner');
  });
});
