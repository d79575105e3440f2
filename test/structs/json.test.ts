import { deepStrictEqual } from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { equal, isObject, type Json, stringify, withEntries } from '../../src/structs/json.ts';
import { forAll } from '../property.ts';
import { anyJson, anyObject, smallObject } from './arbitrary.ts';

describe('stringify', () => {
  it('writes JSON that parses to the very same value, negative zeros included', () => {
    forAll([anyJson], (json) => deepStrictEqual(JSON.parse(stringify(json)), json));
  });

  it.each<[Json, string]>([
    [-0, '-0.0'],
    [{ a: [{ b: -0 }, 0] }, '{"a":[{"b":-0.0},0]}'],
    [JSON.parse('{"__proto__":-0}'), '{"__proto__":-0.0}'],
    [{ a: '-0' }, '{"a":"-0"}'],
  ])('writes %o as %s', (json, text) => {
    expect(stringify(json)).toBe(text);
  });
});

describe('equal', () => {
  it('holds for a copy with its keys in another order', () => {
    const reversed = (json: Json): Json => {
      if (Array.isArray(json)) return json.map(reversed);
      if (!isObject(json)) return json;
      return Object.fromEntries(
        Object.entries(json)
          .reverse()
          .map(([key, value]) => [key, reversed(value)]),
      );
    };
    forAll([anyJson], (json) => expect(equal(json, reversed(json))).toBe(true));
  });

  it('holds exactly when the two are written alike', () => {
    const sorted = (json: Json): string =>
      isObject(json)
        ? `{${Object.keys(json)
            .sort()
            .map((key) => `${JSON.stringify(key)}:${sorted(json[key]!)}`)}}`
        : Array.isArray(json)
          ? `[${json.map(sorted)}]`
          : stringify(json);
    forAll([smallObject, smallObject], (a, b) => expect(equal(a, b)).toBe(sorted(a) === sorted(b)), 3_000);
  });

  it.each<[Json | undefined, Json | undefined]>([
    [0, -0],
    [1, '1'],
    [null, undefined],
    [{}, undefined],
    [{}, []],
    [[], {}],
    [{ a: null }, {}],
    [{}, { a: null }],
    [[null], []],
    [{ a: 1 }, { b: 1 }],
    [{}, JSON.parse('{"__proto__":{}}')],
    [{ a: {} }, JSON.parse('{"__proto__":{}}')],
    [{ toString: 1 }, { a: 1 }],
  ])('does not hold for %o and %o', (a, b) => {
    expect(equal(a, b)).toBe(false);
    expect(equal(b, a)).toBe(false);
  });

  it('holds for undefined and undefined', () => {
    expect(equal(undefined, undefined)).toBe(true);
  });
});

describe('withEntries', () => {
  it('sets and leaves out, in a copy', () => {
    forAll([anyObject, anyObject], (base, changes) => {
      const before = stringify(base);
      const result = withEntries(base, Object.entries(changes));
      expect(Object.keys(result)).toHaveLength(new Set([...Object.keys(base), ...Object.keys(changes)]).size);
      for (const key of Object.keys(changes)) expect(equal(result[key], changes[key])).toBe(true);
      const bare = withEntries(
        result,
        Object.keys(result).map((key) => [key, undefined]),
      );
      expect(Object.keys(bare)).toEqual([]);
      expect(stringify(base)).toBe(before);
    });
  });

  it('takes __proto__ for a key', () => {
    const result = withEntries({}, [['__proto__', { polluted: true }]]);
    expect(Object.keys(result)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });
});
