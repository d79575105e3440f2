import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ensureSessionIndex } from '../../src/redis/session_index.ts';
import type { RedisSessions } from '../../src/redis/sessions.ts';
import { matches, positionOf } from '../../src/sessions/query.ts';
import type { Participant, Session } from '../../src/sessions/session.ts';
import type { SessionOrder, SessionPosition, SessionQuery } from '../../src/sessions/store.ts';
import type { JsonObject } from '../../src/structs/json.ts';
import { forAllAsync } from '../property.ts';
import { connected, modules, mutate, spawnRedis, storeOver, useRedis } from '../redis_fixture.ts';
import { aCaller, aQuery, aSession } from '../session_fixture.ts';

const redis = useRedis();
let store: RedisSessions;
beforeAll(() => {
  store = storeOver(redis.connection, redis.keys);
});

const live = new AbortController().signal;
const HOUR = 3_600_000_000;

async function create(fields: Partial<Session>): Promise<Session> {
  const session = aSession(fields);
  return mutate(store, session, aCaller(), () => ({ write: session, answer: session }), 'absent');
}

function createAll(all: readonly Partial<Session>[]): Promise<Session[]> {
  return Promise.all(all.map(create));
}

async function purge(session: Session): Promise<void> {
  await store.mutate(session, aCaller(), () => ({ write: null, answer: null }));
}

/** One page, as the service takes it, and where the next one begins; undefined at the end. */
async function page(query: SessionQuery, size: number, from = store) {
  const sessions: Session[] = [];
  let next: SessionPosition | undefined;
  for await (const { session } of from.find({ ...query, expected: size + 1 }, live)) {
    if (sessions.length === size) {
      next = positionOf(sessions.at(-1)!, query.order);
      break;
    }
    sessions.push(session);
  }
  return { sessions, next };
}

/** All pages, of these sizes in turn; `between` runs after each. */
async function pages(
  query: SessionQuery,
  sizes: readonly number[],
  between?: () => Promise<unknown>,
  from = store,
) {
  const all: Session[] = [];
  for (let at = 0, after: SessionPosition | undefined; ; at++) {
    const { sessions, next } = await page({ ...query, after }, sizes[at % sizes.length]!, from);
    all.push(...sessions);
    if (!next) return all;
    after = next;
    await between?.();
  }
}

/** The same by sorting everything. */
function model(sessions: readonly Session[], query: SessionQuery): Session[] {
  const sign = query.order.direction === 'asc' ? 1 : -1;
  const { by } = query.order;
  return sessions
    .filter((session) => matches(session, query))
    .toSorted((a, b) => sign * (a[by] - b[by] || (a.sessionId < b.sessionId ? -1 : 1)));
}

const ids = (sessions: readonly Session[]) => sessions.map(({ sessionId }) => sessionId);

/** A participant of a kind; unbound when it has left. */
function participant(participantId: string, kind: 'USER' | 'AGENT', left = false): Participant {
  const row = {
    participantId,
    kind,
    displayName: '',
    instructions: '',
    settings: {},
    joinedSeq: 0,
    bindTime: 1,
  };
  return left ? { ...row, leftSeq: 0, unbindTime: 2 } : row;
}

const order: fc.Arbitrary<SessionOrder> = fc.record({
  by: fc.constantFrom('createTime', 'updateTime'),
  direction: fc.constantFrom('asc', 'desc'),
});
const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 });

describe('the pages of a list, put together', () => {
  /** Clusters, ties, a crowd in one instant, years apart, and a clock that is ahead. */
  const world = [
    ...Array.from({ length: 150 }, (_, at) => ({ createTime: at * 7 * HOUR, updateTime: 5_000 })),
    ...Array.from({ length: 130 }, (_, at) => ({ createTime: 1_700_000_000_000_000, updateTime: at })),
    ...Array.from({ length: 120 }, (_, at) => ({
      createTime: Date.now() * 1000 - at * 10,
      updateTime: at % 5,
    })),
    ...Array.from({ length: 120 }, (_, at) => ({
      createTime: Date.now() * 1000 + HOUR + Math.floor(at / 3),
      updateTime: Date.now() * 1000 + HOUR * at,
    })),
  ];
  const namespace = `world-${randomUUID()}`;
  let sessions: Session[];
  beforeAll(async () => {
    sessions = await createAll(
      world.map((times, at) => ({
        ...times,
        namespace,
        sessionId: `${at % 3}-${randomUUID()}`,
        metadata: { mod: at % 4, tags: at % 2 ? ['odd', at % 7] : ['even'] },
        participants: [
          participant(`user-${at % 3}`, 'USER', at % 5 === 0),
          participant(`agent-${at % 2}`, 'AGENT'),
          participant(`user-${at % 2}`, 'AGENT'),
        ],
        configs: {
          revision: 1,
          principal: '',
          requestId: '',
          createTime: 1,
          ...(at % 3 > 0 && { configs: { model: at % 3 > 1 ? 'm' : null } }),
        },
        ...(at % 10 === 9 && { deleteTime: 1, purgeTime: Date.now() * 1000 + HOUR }),
      })),
    );
  });

  const query = fc.record({
    order,
    includeDeleted: fc.boolean(),
    userId: fc.constantFrom('', '', 'user-0', 'user-1', 'nobody'),
    agentId: fc.constantFrom('', '', 'agent-0', 'user-1'),
    metadataFilter: fc.constantFrom<JsonObject | undefined>(
      undefined,
      undefined,
      { mod: 1 },
      { tags: ['odd'] },
      { tags: 'odd' },
      {},
      { mod: '1' },
    ),
    configsFilter: fc.constantFrom<JsonObject | undefined>(
      undefined,
      undefined,
      {},
      { model: null },
      { model: 'm' },
    ),
  });

  it('are what sorting everything gives, in every order, filter and page size', async () => {
    await forAllAsync(
      [query, sizes],
      async (fields, pageSizes) => {
        const asked = aQuery({ ...fields, namespace });
        expect(ids(await pages(asked, pageSizes))).toEqual(ids(model(sessions, asked)));
      },
      120,
    );
  });

  it.each<SessionOrder>([
    { by: 'createTime', direction: 'desc' },
    { by: 'createTime', direction: 'asc' },
    { by: 'updateTime', direction: 'desc' },
    { by: 'updateTime', direction: 'asc' },
  ])('are complete page by page in the order %o', async (way) => {
    const asked = aQuery({ namespace, order: way });
    expect(ids(await pages(asked, [7]))).toEqual(ids(model(sessions, asked)));
  });

  it('hold no session of another namespace', async () => {
    expect(await pages(aQuery({ namespace: `${namespace}x` }), [10])).toEqual([]);
    expect(await pages(aQuery({ namespace: 'world' }), [10])).toEqual([]);
  });

  it('neither skip nor repeat a session that is there throughout, while others come and go', async () => {
    await forAllAsync(
      [order, sizes, fc.infiniteStream(fc.nat(1_000))],
      async (way, pageSizes, choices) => {
        const choose = () => choices.next().value ?? 0;
        const space = `moving-${randomUUID()}`;
        const time = () => Date.now() * 1000 - choose() * choose();
        const some = (count: number) =>
          createAll(
            Array.from({ length: count }, () => ({
              namespace: space,
              createTime: time(),
              updateTime: time(),
            })),
          );
        const staying = await some(150);
        const leaving = await some(40);
        const asked = aQuery({ namespace: space, order: way });
        let coming = 100;
        const seen = await pages(asked, pageSizes, async () => {
          // Not for ever: in ascending order two that come behind every page of one have no end.
          if (coming-- > 0) await some(2);
          await Promise.all(leaving.splice(0, 3).map(purge));
        });
        expect(new Set(ids(seen)).size).toBe(seen.length);
        const stayed = new Set(ids(staying));
        expect(ids(seen).filter((id) => stayed.has(id))).toEqual(ids(model(staying, asked)));
      },
      8,
    );
  });
});

describe('a crowd in a single instant', () => {
  it('of more than a window holds is paged like any other', async () => {
    const namespace = `crowd-${randomUUID()}`;
    const at = 1_750_000_000_000_000;
    const crowd = await createAll(
      Array.from({ length: 620 }, () => ({ namespace, createTime: at, updateTime: at })),
    );
    const around = await createAll([-1, 1].map((off) => ({ namespace, createTime: at + off })));
    for (const direction of ['asc', 'desc'] as const) {
      const asked = aQuery({ namespace, order: { by: 'createTime', direction } });
      expect(ids(await pages(asked, [90]))).toEqual(ids(model([...crowd, ...around], asked)));
    }
  });
});

describe('sessions of a server whose clock is ahead', () => {
  it('are listed on from the middle of them', async () => {
    const namespace = `ahead-${randomUUID()}`;
    const start = Date.now() * 1000 + HOUR;
    const ahead = await createAll(
      Array.from({ length: 300 }, (_, at) => ({ namespace, createTime: start + at })),
    );
    const asked = aQuery({ namespace });
    expect(ids(await pages(asked, [50]))).toEqual(ids(model(ahead, asked)));
  });
});

describe('sessions that expired', () => {
  it('do not appear, break no page, and hide no other, while they are still in the index', async () => {
    // Redis sweeps up what expired when it comes upon it; this one never does.
    const { path } = await spawnRedis('--enable-debug-command', 'yes', ...(await modules()));
    const connection = await connected(path);
    onTestFinished(() => connection.close());
    await connection.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    await ensureSessionIndex(connection, redis.keys);
    const lazy = storeOver(connection, redis.keys);
    const base = Date.now() * 1000;
    const all = Array.from({ length: 260 }, (_, at) =>
      aSession({
        createTime: base - at,
        updateTime: base,
        ttlPolicy: 'SLIDING',
        ...(at % 2 && { ttl: 200 }),
      }),
    );
    await Promise.all(
      all.map((session) => lazy.mutate(session, aCaller(), () => ({ write: session, answer: null }))),
    );
    await sleep(base / 1000 + 220 - Date.now());
    const asked = aQuery();
    const living = all.filter(({ ttl }) => ttl === undefined);
    expect(ids(await pages(asked, [20], undefined, lazy))).toEqual(ids(model(living, asked)));
  });
});

describe('a filter of more tokens than a query asks for', () => {
  it('finds what contains all of it and nothing else', async () => {
    const namespace = `tokens-${randomUUID()}`;
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`key-${at}`, { value: [at] }]));
    const matching = await createAll(
      Array.from({ length: 3 }, (_, at) => ({ namespace, metadata: { ...many, at } })),
    );
    const lacking = Array.from({ length: 10 }, (_, at) => {
      const { [`key-${at * 10}`]: _left, ...rest } = many;
      return { namespace, metadata: rest };
    });
    await createAll(lacking);
    const asked = aQuery({ namespace, metadataFilter: many });
    expect(ids(await pages(asked, [2]))).toEqual(ids(model(matching, asked)));
  });
});

describe('a list nobody waits for any more', () => {
  it('stops with the reason', async () => {
    const abort = new AbortController();
    abort.abort(new Error('left'));
    await expect(store.find(aQuery(), abort.signal)[Symbol.asyncIterator]().next()).rejects.toThrow('left');
  });
});
