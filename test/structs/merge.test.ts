import { describe, expect, it } from 'vitest';
import { isObject, type Json, type JsonObject, stringify } from '../../src/structs/json.ts';
import { mergeDeep, mergeShallow } from '../../src/structs/merge.ts';
import { forAll } from '../property.ts';
import { anyObject, smallObject } from './arbitrary.ts';

type Row = [patch: JsonObject, target: JsonObject, result: JsonObject];

describe('a shallow patch', () => {
  it.each<Row>([
    [{ a: 1 }, {}, { a: 1 }],
    [{ a: 2 }, { a: 1, b: 1 }, { a: 2, b: 1 }],
    [{ a: null }, { a: 1, b: 1 }, { b: 1 }],
    [{ a: null }, { b: 1 }, { b: 1 }],
    [{ a: null }, { a: null }, {}],
    [{ a: null }, { a: 1 }, {}],
    [{ a: { x: 1 } }, { a: { x: 0, y: 0 } }, { a: { x: 1 } }],
    [{ a: [3] }, { a: [1, 2] }, { a: [3] }],
    [{ a: { x: null } }, { a: { x: 1, y: 1 } }, { a: { x: null } }],
    [{ a: [null] }, { a: 1 }, { a: [null] }],
    [{ a: {} }, { a: { x: 1 } }, { a: {} }],
    [{ a: false }, { a: 1 }, { a: false }],
    [{ a: '' }, { a: 1 }, { a: '' }],
    [{ a: 0 }, { a: 1 }, { a: 0 }],
    [{}, { a: 1 }, { a: 1 }],
    [{ 'a.b': 1 }, { a: { b: 0 } }, { a: { b: 0 }, 'a.b': 1 }],
    [{ '': null, $: 1 }, { '': 1 }, { $: 1 }],
  ])('%j on %j makes %j', (patch, target, result) => {
    expect(mergeShallow(target, patch)).toStrictEqual(result);
  });
});

/** RFC 7396, appendix A, as far as target and patch are objects. */
const APPENDIX_A: Row[] = [
  [{ a: 'c' }, { a: 'b' }, { a: 'c' }],
  [{ b: 'c' }, { a: 'b' }, { a: 'b', b: 'c' }],
  [{ a: null }, { a: 'b' }, {}],
  [{ a: null }, { a: 'b', b: 'c' }, { b: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: ['b'] }],
  [{ a: { b: 'd', c: null } }, { a: { b: 'c' } }, { a: { b: 'd' } }],
  [{ a: [1] }, { a: [{ b: 'c' }] }, { a: [1] }],
  [{ a: 1 }, { e: null }, { e: null, a: 1 }],
  [{ a: { bb: { ccc: null } } }, {}, { a: { bb: {} } }],
];

describe('a deep patch', () => {
  it.each(APPENDIX_A)('%j on %j makes %j, as RFC 7396 has it', (patch, target, result) => {
    expect(mergeDeep(target, patch)).toStrictEqual(result);
  });

  it.each<Row>([
    [
      { title: 'Hello!', author: { familyName: null }, tags: ['example'] },
      { title: 'Goodbye!', author: { givenName: 'John', familyName: 'Doe' }, tags: ['a', 'b'], content: '-' },
      { title: 'Hello!', author: { givenName: 'John' }, tags: ['example'], content: '-' },
    ],
    [{ a: { b: { c: 1 } } }, { a: { b: 1 } }, { a: { b: { c: 1 } } }],
    [{ a: { b: null } }, { a: null }, { a: {} }],
    [{ a: [{ b: null }] }, { a: 1 }, { a: [{ b: null }] }],
  ])('%j on %j makes %j', (patch, target, result) => {
    expect(mergeDeep(target, patch)).toStrictEqual(result);
  });

  it("does what the RFC's own pseudo-code does", () => {
    const mergePatch = (target: Json | undefined, patch: Json): Json => {
      if (!isObject(patch)) return patch;
      const result = new Map(Object.entries(target !== undefined && isObject(target) ? target : {}));
      for (const [name, value] of Object.entries(patch)) {
        if (value === null) result.delete(name);
        else result.set(name, mergePatch(result.get(name), value));
      }
      return Object.fromEntries(result);
    };
    forAll(
      [smallObject, smallObject],
      (target, patch) => expect(mergeDeep(target, patch)).toStrictEqual(mergePatch(target, patch)),
      2_000,
    );
  });
});

describe.each([
  ['shallow', mergeShallow],
  ['deep', mergeDeep],
])('either patch: %s', (_, merge) => {
  it('leaves its arguments as they were', () => {
    forAll([anyObject, anyObject], (target, patch) => {
      const before = stringify([target, patch]);
      merge(target, patch);
      expect(stringify([target, patch])).toBe(before);
    });
  });

  it('changes nothing when it is applied again', () => {
    forAll([smallObject, smallObject], (target, patch) => {
      const once = merge(target, patch);
      expect(merge(once, patch)).toStrictEqual(once);
    });
  });

  it('stores __proto__ as a key and pollutes nothing', () => {
    const patch = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    const result = merge(JSON.parse('{"__proto__":{"old":1}}'), patch);
    expect(Object.hasOwn(result, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(merge(result, JSON.parse('{"__proto__":null,"constructor":null}'))).toStrictEqual({});
  });

  it('does not take what every object inherits for a value', () => {
    expect(merge({}, { toString: { a: 1 } })).toStrictEqual({ toString: { a: 1 } });
  });
});
