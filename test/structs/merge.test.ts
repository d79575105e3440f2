import { describe, expect, it } from 'vitest';
import { equal, isObject, type Json, type JsonObject, stringify } from '../../src/structs/json.ts';
import { inversePatch, mergeDeep, mergePatch, mergeShallow } from '../../src/structs/merge.ts';
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

describe('the patch between two objects', () => {
  it.each<[before: JsonObject, after: JsonObject, patch: JsonObject]>([
    [{ a: 1, b: 2 }, { a: 1, b: 3 }, { b: 3 }],
    [{ a: 1, b: 2 }, { b: 2 }, { a: null }],
    [{ a: 1 }, { a: 1, b: { c: [1] } }, { b: { c: [1] } }],
    [{ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, { a: { c: 3 } }],
    [{ a: { b: 1 } }, { a: {} }, { a: { b: null } }],
    [{ a: { b: 1 } }, { a: 1 }, { a: 1 }],
    [{ a: 1 }, { constructor: 2 }, { constructor: 2, a: null }],
    [{ a: [1, 2] }, { a: [1] }, { a: [1] }],
    [{ a: 0 }, { a: -0 }, { a: -0 }],
    [{ a: null, b: 1 }, { a: null, b: 2 }, { b: 2 }],
    [{ a: { b: null, c: 1 } }, { a: { b: null, c: 2 } }, { a: { c: 2 } }],
    [{ a: 1 }, { a: 1 }, {}],
  ])('%j and %j is %j', (before, after, patch) => {
    expect(mergePatch(before, after)).toStrictEqual(patch);
  });

  it('takes what is undefined for what is not there', () => {
    expect(mergePatch({ a: 1, b: undefined }, { a: undefined, b: 1 })).toStrictEqual({ a: null, b: 1 });
    expect(mergePatch({ a: undefined }, {})).toStrictEqual({});
  });

  it.each([
    ['{}', '{"a":null}'],
    ['{"a":1}', '{"a":null}'],
    ['{"a":1}', '{"a":{"b":null}}'],
    ['{"a":{"b":1}}', '{"a":{"b":null}}'],
    ['{}', '{"a":[{"b":null}]}'],
    ['{}', '{"__proto__":1}'],
    ['{"__proto__":1}', '{}'],
    ['{"__proto__":{}}', '{"__proto__":{"a":1}}'],
  ])('%s and %s is none', (before, after) => {
    expect(mergePatch(JSON.parse(before), JSON.parse(after))).toBeUndefined();
  });

  it('makes the one of the other, and its inverse the other of the one', () => {
    let found = 0;
    let inverted = 0;
    const check = (before: JsonObject, after: JsonObject) => {
      const patch = mergePatch(before, after);
      if (!patch) return;
      found++;
      // What both have and is deeply the same comes to an empty patch.
      expect(equal(mergeDeep(before, JSON.parse(stringify(patch))), after)).toBe(true);
      const inverse = inversePatch(before, patch);
      if (inverse) expect(equal(mergeDeep(after, JSON.parse(stringify(inverse))), before)).toBe(true);
      if (inverse) inverted++;
    };
    forAll([smallObject, smallObject], check, 2_000);
    forAll([anyObject, anyObject], (base, change) => check(base, mergeDeep(base, change)), 2_000);
    expect(found).toBeGreaterThan(1_000);
    expect(inverted).toBeGreaterThan(500);
  });
});
