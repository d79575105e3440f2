import { deepStrictEqual } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RedisSessions } from '../../src/redis/sessions.ts';
import { changed, withConfigs } from '../../src/sessions/changes.ts';
import type { Session, SessionKey } from '../../src/sessions/session.ts';
import { Sessions } from '../../src/sessions/sessions.ts';
import type { Decision } from '../../src/sessions/store.ts';
import type { JsonObject } from '../../src/structs/json.ts';
import { TemplateRenderer } from '../../src/templates/renderer.ts';
import { forAllAsync } from '../property.ts';
import { logOver, mutate, useRedis } from '../redis_fixture.ts';
import { aCaller, aSession } from '../session_fixture.ts';
import { anyObject } from '../structs/arbitrary.ts';
import { increment, incrementsOf, oneTo, storedIn, twoStores } from './stored_sessions.ts';

const redis = useRedis();
/** Two of them, as two server processes. */
let here: RedisSessions;
let there: RedisSessions;
beforeAll(async () => {
  [here, there] = await twoStores(redis);
});

const stored = (fields?: Partial<Session>) => storedIn(here, fields);

describe('concurrent mutations of a stored session', () => {
  it('lose nothing to each other in one process', async () => {
    const session = await stored();
    expect(await incrementsOf(session, [here], 16)).toEqual(oneTo(16));
    expect((await here.read(session))?.tokenBudget).toBe(16);
  });

  it('lose nothing to another process, however often they meet', async () => {
    const session = await stored();
    for (let round = 1; round <= 10; round++) await incrementsOf(session, [here, there], 16);
    expect((await here.read(session))?.tokenBudget).toBe(320);
  });

  it('answer each with its own turn, none twice', async () => {
    const session = await stored();
    expect(await incrementsOf(session, [here, there, here], 10)).toEqual(oneTo(30));
  });

  it('create it once', async () => {
    const session = aSession();
    const create = (current: Session | undefined): Decision<boolean> =>
      current ? { answer: false } : { write: session, answer: true };
    const runs = [here, there, here, there].map((store) =>
      mutate(store, session, aCaller(), create, 'absent'),
    );
    expect((await Promise.all(runs)).filter(Boolean)).toHaveLength(1);
  });

  it('never decide for good on what another process has changed', async () => {
    const session = await stored();
    await mutate(here, session, aCaller(), increment);
    for (let round = 0; round < 20; round++) {
      await mutate(there, session, aCaller(), increment);
      const seen = await mutate(here, session, aCaller(), (now) => ({ answer: now!.tokenBudget }));
      expect(seen).toBe((await there.read(session))?.tokenBudget);
      await mutate(here, session, aCaller(), increment);
    }
    await mutate(there, session, aCaller(), () => ({ write: null, answer: null }));
    const gone = await mutate(here, session, aCaller(), (now) => ({ answer: now === undefined }));
    expect(gone).toBe(true);
  });
});

describe('a session whose document somebody removed', () => {
  it('is not there any more, though its log is, and nothing is written for it', async () => {
    const session = await stored();
    await mutate(here, session, aCaller(), increment);
    await redis.connection.call('UNLINK', redis.keys.session(session));
    const seen = await mutate(here, session, aCaller(), (now) => (now ? increment(now) : { answer: -1 }));
    expect(seen).toBe(-1);
    expect(await redis.connection.call('EXISTS', redis.keys.session(session))).toBe(0);
  });
});

describe('a mutation under a request id', () => {
  it('happens once, in whichever process and however often it is sent at once', async () => {
    const session = await stored();
    const caller = aCaller(randomUUID());
    const runs = [here, there, here, there].map((store) => mutate(store, session, caller, increment));
    expect(await Promise.all(runs)).toEqual([1, 1, 1, 1]);
    expect(await mutate(there, session, caller, increment)).toBe(1);
    expect((await here.read(session))?.tokenBudget).toBe(1);
  });

  it('is answered by the script when it was remembered between reading and writing', async () => {
    const session = await stored();
    const caller = aCaller(randomUUID());
    let first: Promise<number> | undefined;
    // `there` has decided, and not yet written, when `here` writes.
    const second = mutate(there, session, caller, (current) => {
      first ??= mutate(here, session, caller, increment);
      return increment(current);
    });
    expect(await second).toBe(1);
    expect(await first).toBe(1);
    expect((await here.read(session))?.tokenBudget).toBe(1);
  });

  it('is refused with another request, and is another mutation under another method', async () => {
    const session = await stored();
    const id = randomUUID();
    expect(await mutate(here, session, aCaller(id, { a: 1 }), increment)).toBe(1);
    await expect(mutate(here, session, aCaller(id, { a: 2 }), increment)).rejects.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
    expect(await mutate(here, session, aCaller(id, { a: 2 }, 'Another'), increment)).toBe(2);
    expect((await here.read(session))?.tokenBudget).toBe(2);
  });

  it('is not remembered when it fails', async () => {
    const session = await stored();
    const caller = aCaller(randomUUID());
    const failing = () => {
      throw new Error('not now');
    };
    await expect(mutate(here, session, caller, failing)).rejects.toThrow('not now');
    expect(await mutate(here, session, caller, increment)).toBe(1);
  });

  it('that purges the session can be repeated', async () => {
    const session = await stored();
    const caller = aCaller(randomUUID());
    const purge = (current: Session | undefined): Decision<string> => {
      if (!current) throw new Error('nothing there');
      return { write: null, answer: 'purged' };
    };
    expect(await mutate(here, session, caller, purge)).toBe('purged');
    expect(await mutate(there, session, caller, purge)).toBe('purged');
    await expect(mutate(here, session, aCaller(randomUUID()), purge)).rejects.toThrow('nothing there');
  });

  it('is answered in JSON as exact as the first time', async () => {
    const session = await stored();
    const caller = aCaller(randomUUID());
    const answer = JSON.parse('{"__proto__":-0.0,"":[5e-324,[],{}],"😀":null}') as JsonObject;
    await mutate(here, session, caller, () => ({ answer }));
    deepStrictEqual(await mutate<JsonObject>(there, session, caller, () => ({ answer: {} })), answer);
  });
});

describe('a stored session', () => {
  it('comes back as it was, whatever JSON it holds', async () => {
    await forAllAsync(
      [anyObject, anyObject, fc.option(anyObject, { nil: undefined })],
      async (metadata, data, configs) => {
        const revision = {
          revision: 1,
          principal: '',
          requestId: '',
          createTime: 1,
          ...(configs && { configs }),
        };
        const session = await stored({ metadata, data, configs: revision });
        deepStrictEqual(await there.read(session), session);
      },
      300,
    );
  });

  it('is another one in another namespace', async () => {
    const session = await stored({ namespace: 'one' });
    expect(await here.read({ ...session, namespace: 'two' })).toBeUndefined();
  });

  it('ends with all that belongs to it when its time has come', async () => {
    const session = await stored({ ttl: 300 });
    const { tokenBudget, ...configs } = { ...session, tokenBudget: 0 };
    expect(configs).toBeDefined();
    const author = { principal: '', requestId: '' };
    for (const a of [1, 2]) {
      await mutate(here, session, aCaller(randomUUID()), (current) => ({
        write: withConfigs(current!, { a }, 'UPDATE', author),
        answer: tokenBudget,
      }));
    }
    expect(await keysOf(session)).not.toEqual([]);
    await sleep(Math.max(0, session.createTime / 1000 + 310 - Date.now()));
    expect(await here.read(session)).toBeUndefined();
    expect(await mutate(here, session, aCaller(), (current) => ({ answer: current === undefined }))).toBe(
      true,
    );
    expect(await keysOf(session)).toEqual([]);
  });

  it('lives on when its end is taken away again', async () => {
    const session = await stored({ ttl: 400 });
    await mutate(here, session, aCaller(randomUUID()), (current) => ({
      write: changed(current!, { ttl: undefined }),
      answer: null,
    }));
    for (const key of await keysOf(session)) expect(await redis.connection.call('PTTL', key)).toBe(-1);
    await sleep(450);
    expect(await here.read(session)).toMatchObject({ sessionId: session.sessionId });
  });

  it('leaves nothing behind when it is purged but the answer to who asked for that', async () => {
    const session = await stored();
    await mutate(here, session, aCaller(randomUUID()), increment);
    await mutate(here, session, aCaller(), () => ({ write: null, answer: null }));
    expect(await keysOf(session)).toEqual([]);
  });
});

describe('the revisions of a stored session', () => {
  it('are the last hundred, the oldest first, the current one last', async () => {
    const session = await stored();
    const author = { principal: 'p', requestId: 'r' };
    for (let n = 1; n <= 105; n++) {
      await mutate(here, session, aCaller(), (current) => ({
        write: withConfigs(current!, { n }, 'UPDATE', author),
        answer: null,
      }));
    }
    const all = (await there.revisions(session, 0))!;
    expect(all.revisions.map(({ revision }) => revision)).toEqual(oneTo(105).slice(5));
    expect(all.revisions.map(({ configs }) => configs?.n)).toEqual(oneTo(105).slice(5));
    expect((await there.revisions(session, 104))?.revisions).toHaveLength(2);
    expect((await there.revisions(session, 106))?.revisions).toEqual([]);
    expect(await there.revisions(aSession(), 0)).toBeUndefined();
  });

  it('come back exactly', async () => {
    await forAllAsync(
      [anyObject, anyObject],
      async (first, second) => {
        const session = await stored();
        const author = { principal: '', requestId: '' };
        const set = (configs: JsonObject | undefined) => (current: Session | undefined) => ({
          write: withConfigs(current!, configs, 'UPDATE', author),
          answer: null,
        });
        await mutate(here, session, aCaller(), set(first));
        await mutate(here, session, aCaller(), set(undefined));
        await mutate(here, session, aCaller(), set(second));
        const { revisions } = (await here.revisions(session, 1))!;
        deepStrictEqual(
          revisions.map(({ configs }) => configs),
          [first, undefined, second],
        );
      },
      50,
    );
  });

  it('start anew with a session made anew under the same id', async () => {
    const sessions = new Sessions(here, logOver(redis.connection, redis.keys), 1000, new TemplateRenderer(), {
      end: async () => {},
    });
    const key = { namespace: 'default', sessionId: randomUUID() };
    const author = { principal: '', requestId: '' };
    for (const round of [1, 2]) {
      await mutate(here, key, aCaller(), () => ({ write: aSession(key), answer: null }));
      for (const a of [round, round + 1]) {
        await mutate(here, key, aCaller(), (current) => ({
          write: withConfigs(current!, { a }, 'UPDATE', author),
          answer: null,
        }));
      }
      const { revisions } = (await here.revisions(key, 0))!;
      expect(revisions.map(({ revision, configs }) => [revision, configs?.a])).toEqual([
        [1, round],
        [2, round + 1],
      ]);
      await sessions.delete(key, { permanent: true, allowMissing: false, etag: '' }, aCaller());
    }
  });
});

/** Every key that belongs to a session. */
async function keysOf({ namespace, sessionId }: SessionKey): Promise<string[]> {
  return (await redis.connection.call('KEYS', `*{${namespace}/${sessionId}}`)) as string[];
}
