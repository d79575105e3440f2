import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { objectOf } from '../../src/structs/shapes.ts';
import { forAll } from '../property.ts';
import { anyObject } from './arbitrary.ts';

it('makes what Object.fromEntries makes, the first time and again, in the same order', () => {
  const key = fc.constantFrom('a', 'b', '1', '0', '', '__proto__', 'constructor', 'length');
  forAll([fc.array(fc.tuple(key, fc.oneof(fc.double(), fc.string(), anyObject)))], (entries) => {
    const [keys, values] = [entries.map(([key]) => key), entries.map(([, value]) => value)];
    const expected = Object.fromEntries(entries);
    for (let time = 0; time < 3; time++) {
      const object = objectOf(keys, values);
      deepStrictEqual(object, expected);
      expect(Object.keys(object)).toEqual(Object.keys(expected));
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
    }
  });
});

it('makes each object anew', () => {
  const first = objectOf(['a', 'b'], [1, 2]);
  const second = objectOf(['a', 'b'], [3, 4]);
  objectOf(['a', 'b'], [5, 6]).a = 7;
  expect([first, second, objectOf(['a', 'b'], [8, 9])]).toEqual([
    { a: 1, b: 2 },
    { a: 3, b: 4 },
    { a: 8, b: 9 },
  ]);
});

it('tells shapes of as many keys apart', () => {
  for (let time = 0; time < 2; time++) {
    expect(objectOf(['a', 'b'], [1, 2])).toEqual({ a: 1, b: 2 });
    expect(objectOf(['a', 'c'], [1, 2])).toEqual({ a: 1, c: 2 });
  }
});

it.each([0, 64, 65, 1000])('makes objects of %d keys', (count) => {
  const keys = Array.from({ length: count }, (_, at) => `k${at}`);
  for (let time = 0; time < 2; time++)
    expect(Object.entries(objectOf(keys, keys))).toEqual(keys.map((key) => [key, key]));
});
