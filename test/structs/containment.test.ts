import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contains,
  FilterTooCostlyError,
  type Findable,
  tokens,
  tokensAsJson,
} from '../../src/structs/containment.ts';
import { isObject, type Json, type JsonObject } from '../../src/structs/json.ts';
import { forAll } from '../property.ts';
import { anyObject, smallObject } from './arbitrary.ts';

type Row = [filter: Json, document: Json];

describe('containment as PostgreSQL has it', () => {
  it.each<Row>([
    // From PostgreSQL's documentation.
    [{ version: 9.4 }, { product: 'PostgreSQL', version: 9.4, jsonb: true }],
    [{ foo: {} }, { foo: { bar: 'baz' } }],
    [{ a: [3, 1] }, { a: [1, 2, 3] }],
    [{ a: [1, 2, 2] }, { a: [1, 2, 3] }],
    [{ a: [[1, 3]] }, { a: [1, 2, [1, 3]] }],
    [{ a: [[3]] }, { a: [1, 2, [1, 3]] }],
    [
      { bar: 'baz', balance: 7.77 },
      { bar: 'baz', balance: 7.77, active: false },
    ],
    [{ tags: [{ term: 'paris' }, { term: 'food' }] }, { tags: [{ term: 'paris' }, { term: 'food' }] }],
    [{ tags: [{ term: 'food' }, { term: 'paris' }] }, { tags: [{ term: 'paris', x: 1 }, { term: 'food' }] }],
    // Objects are partial, at every depth.
    [{}, {}],
    [{}, { a: 1 }],
    [{ a: {} }, { a: {} }],
    [{ a: { b: {} } }, { a: { b: { c: 1 }, d: 1 } }],
    // Arrays are sets.
    [{ t: [] }, { t: [] }],
    [{ t: [] }, { t: [1, {}] }],
    [{ t: ['a', 'a'] }, { t: ['a'] }],
    [{ t: [[]] }, { t: [[1]] }],
    [{ t: [{}] }, { t: [{ a: 1 }] }],
    [{ t: [{ a: 1 }, { b: 1 }] }, { t: [{ a: 1, b: 1 }] }],
    [{ t: [null] }, { t: [1, null] }],
    // Numbers are numbers.
    [{ a: 1 }, { a: 1.0 }],
    [{ a: 0 }, { a: -0 }],
    [{ a: [-0] }, { a: [0] }],
    [{ a: 1e308 }, { a: 1e308 }],
    [{ x: null }, { x: null }],
    [{ '': '' }, { '': '', a: 1 }],
    [JSON.parse('{"__proto__":{}}'), JSON.parse('{"__proto__":{"a":1}}')],
  ])('%j finds %j', (filter, document) => {
    expect(contains(document, filter)).toBe(true);
  });

  it.each<Row>([
    // From PostgreSQL's documentation.
    [{ bar: 'baz' }, { foo: { bar: 'baz' } }],
    [{ a: [1, 3] }, { a: [1, 2, [1, 3]] }],
    // Types tell apart.
    [{ a: 1 }, { a: '1' }],
    [{ a: '1' }, { a: 1 }],
    [{ a: 1 }, { a: true }],
    [{ a: 0 }, { a: false }],
    [{ a: '' }, { a: null }],
    [{ a: false }, { a: null }],
    [{ a: {} }, { a: [] }],
    [{ a: [] }, { a: {} }],
    [{ a: {} }, { a: 1 }],
    [{ a: [] }, { a: null }],
    [{ a: 'null' }, { a: null }],
    // An explicit null is a value.
    [{ x: null }, {}],
    [{ x: null }, { x: 0 }],
    [{ x: null }, { x: {} }],
    // A scalar is not an array of it, below the root.
    [{ t: 'a' }, { t: ['a'] }],
    [{ t: ['a'] }, { t: 'a' }],
    [{ t: [['a']] }, { t: ['a'] }],
    [{ t: ['a'] }, { t: [['a']] }],
    // One element must hold all of a filter's element.
    [{ t: [{ a: 1, b: 2 }] }, { t: [{ a: 1 }, { b: 2 }] }],
    [{ t: [[1, 2]] }, { t: [[1], [2]] }],
    // Letters are what they are.
    [{ a: 'A' }, { a: 'a' }],
    [{ A: 1 }, { a: 1 }],
    [{ a: 'é' }, { a: 'e\u0301' }],
    [{ a: 'a' }, { a: 'a ' }],
    [{ 'a.b': 1 }, { a: { b: 1 } }],
    [{ a: { b: 1 } }, { 'a.b': 1 }],
    [{ a: 0.1 }, { a: 0.1 + Number.EPSILON }],
    [{ a: 2 ** 53 }, { a: 2 ** 53 + 2 }],
    // What every object inherits is not there.
    [{ toString: {} }, {}],
    [JSON.parse('{"__proto__":{}}'), {}],
    [{ length: 1 }, { a: [1] }],
    [{ a: { 0: 1 } }, { a: [1] }],
  ])('%j does not find %j', (filter, document) => {
    expect(contains(document, filter)).toBe(false);
  });

  it('holds of every document and itself', () => {
    forAll([anyObject], (document) => expect(contains(document, document)).toBe(true), 1_000);
  });

  it('holds of a document and any part of it, shuffled and repeated', () => {
    forAll([anyObject, fc.infiniteStream(fc.nat(5))], (document, choices) =>
      expect(contains(document, partOf(document, choices))).toBe(true),
    );
  });

  it('is transitive', () => {
    forAll([smallObject, fc.infiniteStream(fc.nat(5)), smallObject], (document, choices, other) => {
      const part = partOf(document, choices);
      if (contains(other, document)) expect(contains(other, part)).toBe(true);
      expect(contains(document, partOf(part, choices))).toBe(true);
    });
  });
});

describe('the tokens of an object', () => {
  it('are found again among those of every document that contains it', () => {
    forAll([anyObject, fc.infiniteStream(fc.nat(5))], (document, choices) => {
      const found = tokensOf('s', document);
      for (const wanted of tokensOf('s', partOf(document, choices))) expect(found).toContain(wanted);
    });
  });

  it('are found again wherever one of two unrelated objects contains the other', () => {
    let contained = 0;
    forAll(
      [smallObject, smallObject],
      (document, filter) => {
        if (!contains(document, filter)) return;
        contained++;
        expect(tokensOf('s', filter).isSubsetOf(tokensOf('s', document))).toBe(true);
      },
      5_000,
    );
    expect(contained).toBeGreaterThan(200);
  });

  it('seldom find what does not contain it', () => {
    let guesses = 0;
    let wrong = 0;
    forAll(
      [smallObject, smallObject],
      (document, filter) => {
        if (!tokensOf('s', filter).isSubsetOf(tokensOf('s', document))) return;
        guesses++;
        if (!contains(document, filter)) wrong++;
      },
      5_000,
    );
    expect(wrong).toBeLessThan(guesses / 10);
  });

  it('are short words of letters and digits, which a query may hold as they are', () => {
    forAll([anyObject], (object) => {
      for (const each of [...tokensOf('s', object), ...tokensOf('s', 'name')])
        expect(each).toMatch(/^[0-9a-z]+$/);
    });
  });

  it('are never shared by two scopes', () => {
    forAll([fc.string(), fc.string(), anyObject], (a, b, object) => {
      if (a === b) return;
      expect(tokensOf(a, object).isDisjointFrom(tokensOf(b, object))).toBe(true);
    });
  });

  it.each([
    [{ a: { b: 1 } }, { 'a.b': 1 }],
    [{ a: { b: 1 } }, { 'a"."b': 1 }],
    [{ a: [1] }, { 'a[]': 1 }],
    [{ a: [1] }, { a: { '[]': 1 } }],
    [{ a: 1 }, { a: '1' }],
    [{ a: 'o' }, { a: {} }],
    [{ a: null }, { a: 'null' }],
    [{ a: 'a' }, { a: [] }],
  ])('tell %j from %j', (a, b) => {
    expect(tokensOf('s', a).isSubsetOf(tokensOf('s', b))).toBe(false);
    expect(tokensOf('s', b).isSubsetOf(tokensOf('s', a))).toBe(false);
  });

  it('come once each, whatever finds a document', () => {
    const all = tokens([
      { scope: 'a', value: { x: [1, 1] } },
      { scope: 'a', value: { x: [1] } },
      { scope: 'a', value: 'x' },
      { scope: 'b', value: 'x' },
    ]);
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(5);
    expect(tokens([])).toEqual([]);
  });

  it('are what stored sessions have, and the same as JSON', () => {
    const found = tokens([{ scope: 'default/configs', value: { model: 'gpt', n: [1], é: null, on: true } }]);
    // Whoever changes these counts up SESSION_INDEX_VERSION, and has every session stored anew.
    expect(found.join(' ')).toBe(
      '0b8b7eaae8fa2c73 517f80b788f20d22 968099023f7ec12c af6fba8153573d0f 294d90739216be1c cb77f1096b33c2b5',
    );
    forAll([anyObject, fc.boolean()], (object, some) => {
      const findables: Findable[] = some
        ? [
            { scope: 's', value: object },
            { scope: 's', value: 'n' },
          ]
        : [];
      expect(JSON.parse(tokensAsJson(findables))).toEqual(tokens(findables));
    });
  });

  it('are one for the object, one for each container and one for each scalar', () => {
    expect(tokensOf('s', {}).size).toBe(1);
    expect(tokensOf('s', { a: { b: [1, 1, 2] } }).size).toBe(5);
    expect(tokensOf('s', { a: 0, b: -0 })).toEqual(tokensOf('s', { b: 0, a: -0 }));
  });
});

function tokensOf(scope: string, value: Findable['value']): Set<string> {
  return new Set(tokens([{ scope, value }]));
}

/** Something the object contains, as the choices have it. */
function partOf(object: JsonObject, choices: Iterator<number>): JsonObject {
  const choose = (): number => choices.next().value ?? 0;
  const part = (json: Json): Json => {
    if (Array.isArray(json)) {
      const kept = json.filter(() => choose() > 1).map(part);
      return choose() > 2 ? [...kept, ...kept].reverse() : kept.reverse();
    }
    if (!isObject(json)) return json;
    const kept = Object.entries(json).filter(() => choose() > 1);
    return Object.fromEntries(kept.reverse().map(([key, value]) => [key, part(value)]));
  };
  return part(object) as JsonObject;
}

describe('a filter that would take too long', () => {
  it('is given up', () => {
    const value = { t: [...Array.from({ length: 3000 }, () => [0]), [1]] };
    const filter = { t: Array.from({ length: 3000 }, () => [1]) };
    expect(() => contains(value, filter)).toThrow(FilterTooCostlyError);
  });
});
