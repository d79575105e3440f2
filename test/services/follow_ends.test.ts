import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { TtlPolicy } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, type Parley, startParley, useParley } from '../harness.ts';
import { Follower, followed, say, sessionWith } from './turns.ts';

const parley = useParley();
let second: Parley;
beforeAll(async () => {
  second = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
});
afterAll(() => second.stop());

async function caughtUp(sessionId: string): Promise<Follower[]> {
  const followers = [parley, second].map((server) => new Follower(server, { sessionId }));
  for (const follower of followers) await follower.catchUp();
  return followers;
}

describe('a follower is told NOT_FOUND SESSION_DELETED', () => {
  it.each([
    ['deleted', false],
    ['purged', true],
  ])('when the session is %s, by whichever server', async (_, permanent) => {
    const sessionId = await sessionWith(parley, 2);
    const followers = await caughtUp(sessionId);
    await second.sessions.deleteSession({ sessionId, permanent });
    for (const follower of followers) expect(await follower.end()).toBe('NOT_FOUND SESSION_DELETED');
  });

  it('when the session expires', async () => {
    const ttl = { seconds: 0n, nanos: 600_000_000 };
    const sessionId = await sessionWith(parley, 2, { ttl });
    for (const follower of await caughtUp(sessionId))
      expect(await follower.end()).toBe('NOT_FOUND SESSION_DELETED');
  });

  it('when the session expires, but not while what is said keeps it alive', async () => {
    const session = { ttl: { seconds: 0n, nanos: 900_000_000 }, ttlPolicy: TtlPolicy.SLIDING };
    const sessionId = await sessionWith(parley, 1, session);
    const followers = await caughtUp(sessionId);
    for (let n = 2; n <= 6; n++) {
      await sleep(300);
      await say(second, sessionId, n);
      for (const follower of followers) expect(await follower.take(1)).toEqual([`turn ${n}`]);
    }
    for (const follower of followers) expect(await follower.end()).toBe('NOT_FOUND SESSION_DELETED');
  });

  it('when the session is purged and made anew under the same id', async () => {
    const sessionId = await sessionWith(parley, 2);
    const followers = await caughtUp(sessionId);
    await second.sessions.deleteSession({ sessionId, permanent: true });
    await second.sessions.createSession({ sessionId });
    await say(second, sessionId, 'a', 'b', 'c');
    for (const follower of followers) expect(await follower.end()).toBe('NOT_FOUND SESSION_DELETED');
  });

  it('when the session is deleted already', async () => {
    const sessionId = await sessionWith(parley, 2);
    const [follower] = await caughtUp(sessionId);
    await parley.sessions.deleteSession({ sessionId });
    const from = { case: 'cursor' as const, value: follower!.cursor };
    for (const ask of [{ sessionId }, { sessionId, from }])
      expect(await new Follower(parley, ask).end()).toBe('NOT_FOUND SESSION_DELETED');
  });
});

describe('whoever begins to follow a session that just came back finds it, though others still follow what it was:', () => {
  const BACK: Record<string, (sessionId: string) => Promise<unknown>> = {
    'purged and made anew': async (sessionId) => {
      await second.sessions.deleteSession({ sessionId, permanent: true });
      await second.sessions.createSession({ sessionId });
    },
    'deleted and undeleted': async (sessionId) => {
      await second.sessions.deleteSession({ sessionId });
      await second.sessions.undeleteSession({ sessionId });
    },
  };

  it.each(Object.entries(BACK))('%s', async (_, bringBack) => {
    for (let round = 0; round < 150; round++) {
      const sessionId = await sessionWith(parley, 0);
      const before = new Follower(parley, { sessionId });
      await before.catchUp();
      await bringBack(sessionId);
      expect(await followed(parley, { sessionId }), `round ${round}`).toEqual(['caught up']);
      before.cancel();
    }
  });
});

it('a follower is told UNAVAILABLE SERVER_STOPPING when its server stops, and goes on elsewhere', async () => {
  const sessionId = await sessionWith(parley, 2);
  const third = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
  const follower = new Follower(third, { sessionId });
  await follower.catchUp();
  const [end] = await Promise.all([follower.end(), third.stop()]);
  expect(end).toBe('UNAVAILABLE SERVER_STOPPING');
  await say(parley, sessionId, 3);
  const from = { case: 'cursor' as const, value: follower.cursor };
  expect(await followed(parley, { sessionId, from })).toEqual(['turn 3', 'caught up']);
});

it('when followers leave, nothing of them is left', async () => {
  const sessionId = await sessionWith(parley, 1);
  const [one, two] = [new Follower(parley, { sessionId }), new Follower(parley, { sessionId })];
  await Promise.all([one.catchUp(), two.catchUp()]);
  expect(await subscribers(sessionId)).toBe(1);
  one.cancel();
  expect(await one.end()).toMatch(/^CANCELLED/);
  await say(parley, sessionId, 2);
  expect(await two.take(1)).toEqual(['turn 2']);
  two.cancel();
  await vi.waitFor(async () => expect(await subscribers(sessionId)).toBe(0), { timeout: 5000 });
});

it('followers of another namespace hear nothing', async () => {
  const sessionId = await sessionWith(parley, 1);
  const namespace = newId();
  await parley.sessions.createSession({ namespace, sessionId });
  const follower = new Follower(parley, { namespace, sessionId });
  expect(await follower.take(1)).toEqual(['caught up']);
  await say(parley, sessionId, 2);
  await parley.chat.clearHistory({ sessionId });
  await parley.sessions.deleteSession({ sessionId });
  await parley.chat.appendTurns({ namespace, sessionId, messages: [{ content: 'mine' }] });
  expect(await follower.take(1)).toEqual(['turn 1']);
});

/** How many connections are subscribed to the session's channel. */
async function subscribers(sessionId: string): Promise<number> {
  const channel = `${parley.keyPrefix}:live:{default/${sessionId}}`;
  const socket = createConnection(inject('redisUrl'));
  socket.setEncoding('utf8').write(`PUBSUB SHARDNUMSUB ${channel}\r\nQUIT\r\n`);
  let text = '';
  for await (const chunk of socket) text += chunk;
  return Number(/:(\d+)/.exec(text.slice(text.indexOf('}')))![1]);
}
