import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParleyError } from '../../src/errors.ts';
import type { Json, JsonObject } from '../../src/structs/json.ts';
import { encodeStored, encodeStruct, structSize } from '../../src/structs/wire.ts';
import { decodeStruct } from '../../src/structs/wire_reader.ts';
import { forAll } from '../property.ts';
import { anyObject } from './arbitrary.ts';

const decode = (bytes: Uint8Array) => decodeStruct(bytes, () => 'configs');

/** An encoded field; `wireType` is what the tag claims. */
function field(number: number, content: Uint8Array | number[], wireType = 2): Buffer {
  const length = wireType === 2 ? [content.length] : [];
  return Buffer.concat([Buffer.from([(number << 3) | wireType, ...length]), Buffer.from(content)]);
}

/** A Struct of one key with a Value of these bytes. */
function withValue(value: Uint8Array | number[], key = 'k'): Buffer {
  return field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, value)]));
}

/** A Struct of one key with a Struct of these parts. */
function encodeEntry(key: string, parts: readonly Uint8Array[]): Buffer {
  const varint = (length: number) => [(length & 0x7f) | 0x80, length >> 7];
  const long = (number: number, ...content: Uint8Array[]) => {
    const bytes = Buffer.concat(content);
    return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);
  };
  return long(1, field(1, Buffer.from(key)), long(2, long(5, ...parts)));
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** So many containers, one in the other, the root included. */
function nested(depth: number, kind: 'object' | 'array'): JsonObject {
  let value: Json = kind === 'object' ? {} : [];
  for (let at = 2; at < depth; at++) value = kind === 'object' ? { a: value } : [value];
  return depth === 1 ? {} : { a: value };
}

describe('reading a Struct', () => {
  it('gives back what was encoded, every double and key exactly, and again', () => {
    forAll(
      [anyObject],
      (object) => {
        deepStrictEqual(decode(encodeStruct(object)), object);
        deepStrictEqual(decode(encodeStruct(object)), object);
      },
      1_000,
    );
  });

  it('takes whatever is not zero for true', () => {
    expect(decode(withValue([0x20, 0]))).toEqual({ k: false });
    expect(decode(withValue([0x20, 2]))).toEqual({ k: true });
    expect(decode(withValue([0x20, 0x80, 0x80, 1]))).toEqual({ k: true });
  });

  it('takes __proto__ for a key and leaves the prototype alone', () => {
    const object = decode(encodeStruct(JSON.parse('{"__proto__":{"polluted":true}}')));
    expect(Object.keys(object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    expect((object as { polluted?: Json }).polluted).toBeUndefined();
  });

  it('takes the last of a key that comes twice, and a value without a kind for null', () => {
    expect(decode(Buffer.concat([encodeStruct({ a: { x: 1 } }), encodeStruct({ a: 2 })]))).toEqual({ a: 2 });
    expect(decode(withValue([]))).toEqual({ k: null });
    expect(decode(field(1, field(1, Buffer.from('k'))))).toEqual({ k: null });
    expect(decode(field(1, []))).toEqual({ '': null });
  });

  it('passes over fields it does not know', () => {
    const unknown = Buffer.concat([field(9, [1, 2]), field(9, [5], 0), field(9, double(1), 1)]);
    expect(decode(Buffer.concat([unknown, encodeStruct({ a: 1 }), unknown]))).toEqual({ a: 1 });
  });
});

describe('the encoding an object is stored in', () => {
  const long = 'x'.repeat(200);
  const entry = (key: string, value: Uint8Array | number[]) =>
    field(1, Buffer.concat([field(1, Buffer.from(key)), field(2, value)]));

  it('is the one it came in, when that holds the object and nothing else', () => {
    const bytes = Buffer.concat([
      encodeStruct({ z: long.slice(0, 99) }),
      encodeStruct({ a: [1, null, { b: true }] }),
    ]);
    const stored = encodeStored(decode(bytes));
    expect(stored).toEqual(bytes);
    expect(stored).not.toBe(bytes);
  });

  it.each<[string, Uint8Array, JsonObject]>([
    ['a field nobody knows', Buffer.concat([encodeStruct({ a: long }), field(9, [1])]), { a: long }],
    ['a key twice', Buffer.concat([encodeStruct({ a: 1 }), encodeStruct({ a: long })]), { a: long }],
    [
      'a key twice further down',
      encodeEntry('o', [encodeStruct({ a: 1 }), encodeStruct({ a: long })]),
      { o: { a: long } },
    ],
    [
      'two kinds of value',
      Buffer.concat([encodeStruct({ a: long }), entry('b', [0x20, 1, 0x1a, 1, 99])]),
      { a: long, b: 'c' },
    ],
    ['another null', Buffer.concat([encodeStruct({ a: long }), entry('b', [0x08, 5])]), { a: long, b: null }],
    [
      'a value without a kind',
      Buffer.concat([encodeStruct({ a: long }), entry('b', [])]),
      { a: long, b: null },
    ],
    [
      'no key',
      Buffer.concat([encodeStruct({ a: long }), field(1, field(2, [0x20, 1]))]),
      { a: long, '': true },
    ],
    [
      'the value first',
      Buffer.concat([
        encodeStruct({ a: long }),
        field(1, Buffer.concat([field(2, [0x20, 1]), field(1, [98])])),
      ]),
      { a: long, b: true },
    ],
  ])('is a clean one when there is %s', (_, bytes, object) => {
    const decoded = decode(bytes);
    expect(decoded).toEqual(object);
    expect(encodeStored(decoded)).toEqual(encodeStruct(object));
  });

  it('holds the object, whatever came', () => {
    forAll([anyObject, fc.nat(), fc.nat(255)], (object, at, byte) => {
      const bytes = Buffer.concat([encodeStruct({ a: long }), encodeStruct(object)]);
      bytes[at % bytes.length] = byte;
      const decoded = attempted(() => decode(bytes));
      if (decoded) deepStrictEqual(decode(encodeStored(decoded)), decoded);
    });
  });
});

describe('the limits of a Struct', () => {
  it.each(['object', 'array'] as const)('let the 32nd nested %s pass and refuse the 33rd', (kind) => {
    expect(decode(encodeStruct(nested(32, kind)))).toEqual(nested(32, kind));
    expect(() => decode(encodeStruct(nested(33, kind)))).toThrow(/nested deeper than 32 levels/);
  });

  it('name the whole path down to what is too deep', () => {
    const path = '["a"]'.repeat(32);
    expect(fieldOf(() => decode(encodeStruct(nested(33, 'object'))))).toBe(`configs${path}`);
  });

  it('let exactly 64 KiB pass and refuse one byte more', () => {
    const object = { a: '' };
    object.a = 'x'.repeat(64 * 1024 - structSize({ a: 'x'.repeat(60_000) }) + 60_000);
    expect(structSize(object)).toBe(64 * 1024);
    expect(decode(encodeStruct(object))).toEqual(object);
    object.a += 'x';
    expect(() => decode(encodeStruct(object))).toThrow('configs: larger than 65536 bytes as protobuf');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'refuse %d and say where',
    (no) => {
      const hidden = { 'a "b"\n': [0, { __proto__: null, '': [no] }] };
      expect(fieldOf(() => decode(encodeStruct(hidden as unknown as JsonObject)))).toBe(
        String.raw`configs["a \"b\"\n"][1][""][0]`,
      );
    },
  );

  it('hold against every hostile key', () => {
    forAll([fc.string({ unit: 'binary' })], (key) => {
      const nan = withValue(field(2, double(Number.NaN), 1), key.slice(0, 20));
      expect(fieldOf(() => decode(nan))).toBe(`configs[${JSON.stringify(key.slice(0, 20))}]`);
    });
  });

  it('hold for a NaN behind a tag that claims another type', () => {
    // As a varint followed by small fields, these eight bytes are harmless; as a double they are NaN.
    const disguised = [0x10, 0x01, 0x18, 0x01, 0x18, 0x01, 0x18, 0xf8, 0x7f];
    const { k } = attempted(() => decode(withValue(disguised))) ?? { k: null };
    expect(k).not.toBeNaN();
  });
});

describe('bytes that are no Struct', () => {
  it.each<[string, Uint8Array]>([
    ['a length beyond the end', Buffer.from([0x0a, 0x7f, 0x01])],
    ['a length of 4 GiB', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['an endless length', Buffer.alloc(20, 0xff)],
    ['a tag at the very end', Buffer.from([0x0a])],
    ['half a double', withValue([0x11, 0, 0, 0])],
    ['a value longer than its entry', field(1, [0x12, 0x05, 0x08, 0x00])],
    ['a key that is no UTF-8', field(1, field(1, [0xff, 0xfe]))],
    ['a string that is no UTF-8', withValue(field(3, [0xc3]))],
    ['groups in groups', Buffer.alloc(60_000, 0x0b)],
    ['the end of a group that never began', Buffer.from([0x0c])],
  ])('are refused with an error: %s', (_, bytes) => {
    expect(() => decode(bytes)).toThrow();
  });

  it('never hang, and never make anything but JSON within the limits', () => {
    const tags = fc.constantFrom(
      0x0a,
      0x12,
      0x08,
      0x11,
      0x1a,
      0x20,
      0x2a,
      0x32,
      0x00,
      0x01,
      0x02,
      0x04,
      0x7f,
    );
    const bytes = fc.array(fc.oneof({ arbitrary: tags, weight: 4 }, fc.nat(255)), { maxLength: 200 });
    forAll(
      [bytes],
      (hostile) => {
        const object = attempted(() => decode(Buffer.from(hostile)));
        if (object) deepStrictEqual(JSON.parse(JSON.stringify(object)), withoutNegativeZeros(object));
      },
      5_000,
    );
  });

  it('never hang when a good Struct is damaged anywhere', () => {
    forAll([anyObject, fc.nat(), fc.nat(255)], (object, at, byte) => {
      const bytes = encodeStruct(object);
      if (bytes.length > 0) bytes[at % bytes.length] = byte;
      attempted(() => decode(bytes));
      attempted(() => decode(bytes.subarray(0, at % (bytes.length + 1))));
    });
  });
});

/** The result, or undefined when the bytes were refused, by whatever error. */
function attempted<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return undefined;
  }
}

/** The path a refusal names. */
function fieldOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof ParleyError) return error.context.fields?.[0]?.field;
    throw error;
  }
  throw new Error('it was not refused');
}

function withoutNegativeZeros(object: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(object, (_, value) => (Object.is(value, -0) ? 0 : value)));
}
