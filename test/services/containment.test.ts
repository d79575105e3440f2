import type { JsonObject } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { newId, useParley } from '../harness.ts';

const parley = useParley();

/** What PostgreSQL answers for `value @> filter`. */
const CASES: [value: JsonObject, filter: JsonObject, contained: boolean][] = [
  [{ a: 1, b: 2 }, { a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: 1 }, {}, true],
  [{}, {}, true],
  [{ a: 'X' }, { a: 'x' }, false],
  [{ A: 1 }, { a: 1 }, false],
  [{ a: '1' }, { a: 1 }, false],
  [{ a: 1 }, { a: '1' }, false],
  [{ a: true }, { a: 1 }, false],
  [{ a: 'true' }, { a: true }, false],
  [{ a: 1.0 }, { a: 1 }, true],
  [{ a: 0 }, { a: -0 }, true],
  [{ a: -0 }, { a: 0 }, true],
  [{ a: 1e21 }, { a: 1e21 }, true],
  [{ a: 9007199254740991 }, { a: 9007199254740992 }, false],
  [{ a: 0.1 }, { a: 0.1 }, true],
  [{ a: null }, { a: null }, true],
  [{}, { a: null }, false],
  [{ a: 0 }, { a: null }, false],
  [{ a: { b: 1 } }, { b: 1 }, false],
  [{ b: 1 }, { a: { b: 1 } }, false],
  [{ a: { b: 1, c: 2 } }, { a: { b: 1 } }, true],
  [{ a: { b: 1 } }, { a: {} }, true],
  [{ a: 1 }, { a: {} }, false],
  [{ a: [] }, { a: {} }, false],
  [{ a: [1] }, { a: [] }, true],
  [{ a: [] }, { a: [] }, true],
  [{ a: {} }, { a: [] }, false],
  [{ a: [1, 2, 3] }, { a: [3, 1] }, true],
  [{ a: [1, 2] }, { a: [1, 1, 2, 2] }, true],
  [{ a: [1, 2] }, { a: [3] }, false],
  [{ a: ['x'] }, { a: 'x' }, false],
  [{ a: 'x' }, { a: ['x'] }, false],
  [{ a: [[1, 2], 3] }, { a: [[2]] }, true],
  [{ a: [[1, 2], 3] }, { a: [2] }, false],
  [{ a: [1, [1, 3]] }, { a: [[]] }, true],
  [{ a: [{ b: 1, c: 2 }] }, { a: [{ b: 1 }] }, true],
  [{ a: [{ b: 1 }, { c: 2 }] }, { a: [{ b: 1, c: 2 }] }, false],
  [{ a: [{ b: 1 }, { c: 2 }] }, { a: [{ b: 1 }, { c: 2 }] }, true],
  [{ a: [{ b: 1, c: 2 }] }, { a: [{ b: 1 }, { c: 2 }] }, true],
  [{ a: [null] }, { a: [null] }, true],
  [{ a: [{ b: [{ c: 1 }, { d: 2 }] }] }, { a: [{ b: [{ c: 1, d: 2 }] }] }, false],
  [{ a: 'é' }, { a: 'e\u0301' }, false],
  [{ '': { '.': { $: 1 } } }, { '': { '.': {} } }, true],
  [JSON.parse('{"__proto__": {"a": 1}}'), JSON.parse('{"__proto__": {}}'), true],
  [{}, JSON.parse('{"__proto__": {}}'), false],
  [{}, { toString: {} }, false],
  [{ 'a.b': 1 }, { a: { b: 1 } }, false],
  [{ a: { b: 1 } }, { 'a.b': 1 }, false],
  [{ a: 'x} | @ns:{other}' }, { a: 'x} | @ns:{other}' }, true],
];

const named = CASES.map(([value, filter, contained]) => ({
  value,
  filter,
  contained,
  verb: contained ? 'contains' : 'does not contain',
}));

describe.each(['metadata', 'configs'] as const)('%s', (kind) => {
  it.each(named)('$value $verb $filter', async ({ value, filter, contained }) => {
    const namespace = newId();
    await parley.sessions.createSession({ namespace, sessionId: 'it', session: { [kind]: value } });
    await parley.sessions.createSession({ namespace, sessionId: 'unset' });
    const by = kind === 'metadata' ? { metadataFilter: filter } : { filterByConfigs: filter };
    const { sessions } = await parley.sessions.listSessions({ namespace, ...by });
    const all = kind === 'metadata' && Object.keys(filter).length === 0 ? ['unset', 'it'] : ['it'];
    expect(sessions.map(({ sessionId }) => sessionId)).toEqual(contained ? all : []);
  });
});

it('a filter of a thousand leaves finds the session that has them all, and not the one that lacks one', async () => {
  const namespace = newId();
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key-${index}`, { n: index }]));
  const { 'key-0': _, ...lacking } = many;
  await parley.sessions.createSession({ namespace, sessionId: 'all', session: { configs: many } });
  await parley.sessions.createSession({ namespace, sessionId: 'most', session: { configs: lacking } });
  const { sessions } = await parley.sessions.listSessions({ namespace, filterByConfigs: many });
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual(['all']);
});

it('a value longer than any index takes is found whole, and not by its beginning', async () => {
  const namespace = newId();
  const long = 'x'.repeat(60_000);
  await parley.sessions.createSession({ namespace, session: { metadata: { long } } });
  const count = async (metadataFilter: JsonObject) =>
    (await parley.sessions.listSessions({ namespace, metadataFilter })).sessions.length;
  expect([await count({ long }), await count({ long: long.slice(1) })]).toEqual([1, 0]);
});
