import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RedisSessions } from '../../src/redis/sessions.ts';
import type { Session } from '../../src/sessions/session.ts';
import { mutate, storeOver, useRedis } from '../redis_fixture.ts';
import { aCaller } from '../session_fixture.ts';
import { increment, incrementsOf, oneTo, storedIn, twoStores } from './stored_sessions.ts';

const redis = useRedis();
/** Two of them, as two server processes. */
let here: RedisSessions;
let there: RedisSessions;
beforeAll(async () => {
  [here, there] = await twoStores(redis);
});

const stored = (fields?: Partial<Session>) => storedIn(here, fields);

describe('a session as it is answered', () => {
  it('is known when it is asked for again, and has what moved meanwhile', async () => {
    const session = await stored();
    const first = (await here.readEncoded(session))!;
    await redis.connection.call('HSET', redis.keys.log(session), 'kept', 7);
    const second = (await here.readEncoded(session))!;
    expect(second.bytes).toBe(first.bytes);
    expect(second.activity).toEqual({ ...first.activity, lastTurnSeq: 7 });
  });

  it('is as whoever wrote it last left it, whichever process that was', async () => {
    const session = await stored();
    for (const writer of [there, here, there]) {
      const before = (await here.readEncoded(session))!;
      await mutate(writer, session, aCaller(), increment);
      const after = (await here.readEncoded(session))!;
      expect(Buffer.compare(after.bytes, before.bytes)).not.toBe(0);
      expect(after).toEqual(await storeOver(redis.connection, redis.keys).readEncoded(session));
    }
  });

  it('is gone when another process purged it, and another one when it was made anew', async () => {
    const session = await stored({ displayName: 'first' });
    const first = (await here.readEncoded(session))!;
    await mutate(there, session, aCaller(), () => ({ write: null, answer: {} }));
    expect(await here.readEncoded(session)).toBeUndefined();
    const again = { ...session, displayName: 'second', etag: randomUUID() };
    await mutate(there, session, aCaller(), () => ({ write: again, answer: {} }), 'absent');
    const second = (await here.readEncoded(session))!;
    expect(Buffer.compare(second.bytes, first.bytes)).not.toBe(0);
  });
});

describe('a session that another version of the server encoded', () => {
  it.each([
    ['in its own way', (log: string) => ['HSET', log, 'session', 'other 0 \nbytes']],
    ['not at all', (log: string) => ['HDEL', log, 'session']],
  ])('is answered as if this one had, when that did it %s', async (_, spoil) => {
    const session = await stored({ displayName: 'who', ttl: 60_000, ttlPolicy: 'SLIDING' });
    const expected = (await storeOver(redis.connection, redis.keys).readEncoded(session))!;
    const [command, ...args] = spoil(redis.keys.log(session)) as [string, ...string[]];
    await redis.connection.call(command, ...args);
    const found = (await here.readEncoded(session))!;
    expect({ ...found, bytes: Buffer.from(found.bytes) }).toEqual({
      ...expected,
      bytes: Buffer.from(expected.bytes),
    });
    expect(found.slidingTtl).toBe(60_000);
    await mutate(here, session, aCaller(), increment);
    expect((await here.readEncoded(session))!.bytes).not.toEqual(expected.bytes);
  });
});

describe('a session whose log does not know its etag, as it was written once', () => {
  async function olderSession(): Promise<Session> {
    const session = await stored();
    await redis.connection.call('HDEL', redis.keys.log(session), 'etag');
    return session;
  }

  it('is read, and never taken for none', async () => {
    const session = await olderSession();
    expect(await there.readEncoded(session)).toEqual(await here.readEncoded(session));
    const seen = await mutate(
      there,
      session,
      aCaller(),
      (current) => ({ answer: current?.etag, ...(!current && { write: session }) }),
      'absent',
    );
    expect(seen).toBe(session.etag);
  });

  it('is written as any other', async () => {
    const session = await olderSession();
    expect(await incrementsOf(session, [here, there], 3)).toEqual(oneTo(6));
    expect((await here.read(session))?.tokenBudget).toBe(6);
  });
});
