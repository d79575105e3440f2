import { deepStrictEqual } from 'node:assert/strict';
import { fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { StructSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { GetConfigsResponseSchema } from '../../gen/parley/v1/configs_service_pb.ts';
import type { JsonObject } from '../../src/structs/json.ts';
import { encodeStruct, structSize } from '../../src/structs/wire.ts';
import { forAll } from '../property.ts';
import { anyObject } from './arbitrary.ts';

/** As any client decodes it; a Struct that is a field comes out as plain JSON. */
function decoded(bytes: Uint8Array): JsonObject {
  const field = Buffer.concat([Buffer.from([0x0a]), varint(bytes.length), bytes]);
  return fromBinary(GetConfigsResponseSchema, field).configs ?? {};
}

function varint(value: number): Buffer {
  return Buffer.from(value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]);
}

describe('a Struct on the wire', () => {
  it('decodes to what was encoded, every double and key exactly', () => {
    forAll([anyObject], (object) => deepStrictEqual(decoded(encodeStruct(object)), object), 2_000);
  });

  it('keeps the negative zero, which is not zero', () => {
    const { a, b } = decoded(encodeStruct({ a: -0, b: [0] })) as { a: number; b: number[] };
    expect(Object.is(a, -0)).toBe(true);
    expect(Object.is(b[0], 0)).toBe(true);
  });

  it('keeps __proto__ as a key like any other', () => {
    const object = JSON.parse('{"__proto__":{"__proto__":1},"":{"":null}}');
    const back = decoded(encodeStruct(object));
    expect(Object.keys(back)).toEqual(['__proto__', '']);
    expect(JSON.stringify(back)).toBe(JSON.stringify(object));
  });

  it('is byte for byte what protobuf-es encodes', () => {
    forAll([anyObject], (object) => {
      const message = fromBinary(StructSchema, encodeStruct(object));
      expect(Buffer.from(toBinary(StructSchema, message)).equals(encodeStruct(object))).toBe(true);
    });
  });

  it('is as long as structSize says', () => {
    forAll([anyObject], (object) => expect(encodeStruct(object)).toHaveLength(structSize(object)));
  });

  it.each([38, 40, 42, 126, 127, 128, 129, 16_382, 16_383, 16_384, 16_385, 2_097_151, 2_097_152])(
    'has the right lengths around a string of %i bytes',
    (length) => {
      const object = { a: 'x'.repeat(length), b: { ['k'.repeat(length)]: ['é'.repeat(length / 2)] } };
      const bytes = encodeStruct(object);
      expect(bytes).toHaveLength(structSize(object));
      expect(decoded(bytes)).toEqual(object);
    },
  );

  it('is empty for an empty object', () => {
    expect(encodeStruct({})).toHaveLength(0);
    expect(toJson(StructSchema, fromBinary(StructSchema, encodeStruct({})))).toEqual({});
  });

  it('goes as deep as a Struct may', () => {
    let object: JsonObject = {};
    for (let depth = 1; depth < 32; depth++) object = { a: object };
    expect(decoded(encodeStruct(object))).toEqual(object);
  });
});
