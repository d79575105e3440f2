import { beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import type { Connection } from '../../src/redis/connection.ts';
import { RedisDoorbell } from '../../src/redis/doorbell.ts';
import { Keys } from '../../src/redis/keys.ts';
import type { RedisSessions } from '../../src/redis/sessions.ts';
import { changed } from '../../src/sessions/changes.ts';
import type { SessionKey } from '../../src/sessions/session.ts';
import { connected, startOwnRedis, storeOver, useRedis } from '../redis_fixture.ts';
import { aCaller, aSession } from '../session_fixture.ts';
import { cuttingProxy } from './cutting_proxy.ts';

const redis = useRedis();
let store: RedisSessions;
beforeAll(() => {
  store = storeOver(redis.connection, redis.keys);
});

function doorbell(connection = redis.connection, keys = redis.keys): RedisDoorbell {
  const bell = new RedisDoorbell(connection, keys);
  onTestFinished(() => bell.close());
  return bell;
}

/** A connection of the test's own. */
async function connection(path: string): Promise<Connection> {
  const connection = await connected(path);
  onTestFinished(() => connection.close());
  return connection;
}

async function create(sessions = store) {
  const session = aSession();
  await sessions.mutate(session, aCaller(), () => ({ write: session, answer: null }));
  return session;
}

let name = 0;
async function touch(key: SessionKey, sessions = store): Promise<void> {
  await sessions.mutate(key, aCaller(), (current) => ({
    write: changed(current!, { displayName: `touched ${name++}` }),
    answer: null,
  }));
}

/** Listens; the first connection rings once for what may have been missed, which is waited for. */
async function listening(bell: RedisDoorbell, key: SessionKey) {
  const ring = vi.fn();
  const hangUp = await bell.listen(key, ring);
  await new Promise((passed) => setTimeout(passed, 50));
  ring.mockClear();
  return { ring, hangUp };
}

describe('the doorbell', () => {
  it('rings for every write and for the purge of its session, and for no other', async () => {
    const bell = doorbell();
    const [mine, other] = [await create(), await create()];
    const { ring } = await listening(bell, mine);
    await touch(other);
    await touch(mine);
    await vi.waitFor(() => expect(ring).toHaveBeenCalledTimes(1));
    await store.mutate(mine, aCaller(), () => ({ write: null, answer: null }));
    await vi.waitFor(() => expect(ring).toHaveBeenCalledTimes(2));
  });

  it('does not ring when nothing was written', async () => {
    const bell = doorbell();
    const session = await create();
    const { ring } = await listening(bell, session);
    await store.mutate(session, aCaller('look'), () => ({ answer: null }));
    await touch(session);
    await vi.waitFor(() => expect(ring).toHaveBeenCalledTimes(1));
  });

  it('rings for all who listen, until each hangs up', async () => {
    const bell = doorbell();
    const session = await create();
    const first = await listening(bell, session);
    const second = await listening(bell, session);
    await touch(session);
    await vi.waitFor(() =>
      expect([first.ring, second.ring].map((ring) => ring.mock.calls.length)).toEqual([1, 1]),
    );
    first.hangUp();
    first.hangUp();
    await touch(session);
    await vi.waitFor(() => expect(second.ring).toHaveBeenCalledTimes(2));
    expect(first.ring).toHaveBeenCalledTimes(1);
  });

  it('rings for who listens again right after hanging up', async () => {
    const bell = doorbell();
    const session = await create();
    const first = await listening(bell, session);
    first.hangUp();
    const { ring } = await listening(bell, session);
    await touch(session);
    await vi.waitFor(() => expect(ring).toHaveBeenCalled());
  });

  it('rings for what may have been missed when Redis is back, and works again', async () => {
    const own = await startOwnRedis();
    const keys = new Keys('doorbell');
    const redis = await connection(own.path);
    const sessions = storeOver(redis, keys);
    const bell = doorbell(redis, keys);
    const session = await create(sessions);
    const { ring } = await listening(bell, session);
    process.kill(own.pid!, 'SIGKILL');
    await vi.waitFor(() => expect(ring).toHaveBeenCalled(), 10_000);
    await vi.waitFor(() => expect(redis.isUp).toBe(true), 10_000);
    ring.mockClear();
    await touch(session, sessions);
    await vi.waitFor(() => expect(ring).toHaveBeenCalled());
  });

  it('can be listened to while Redis is away, and rings when it comes', async () => {
    const own = await startOwnRedis();
    const bell = doorbell(await connection(own.path), new Keys('doorbell'));
    process.kill(own.pid!, 'SIGKILL');
    const ring = vi.fn();
    await bell.listen(aSession(), ring);
    await vi.waitFor(() => expect(ring).toHaveBeenCalled(), 10_000);
  });

  it('rings when it is late in subscribing, on a connection that stayed', async () => {
    const own = await startOwnRedis();
    const bell = doorbell(await connection(own.path), new Keys('doorbell'));
    await listening(bell, aSession()); // so that it is connected
    const ring = vi.fn();
    process.kill(own.pid!, 'SIGSTOP');
    await bell.listen(aSession(), ring);
    process.kill(own.pid!, 'SIGCONT');
    await vi.waitFor(() => expect(ring).toHaveBeenCalled(), 5000);
  });

  it('survives that Redis goes away while it listens again', async () => {
    const proxy = await cuttingProxy(inject('redisUrl'));
    const bell = doorbell(await connection(proxy.path));
    const session = await create();
    const { ring } = await listening(bell, session);
    proxy.cutAt('ssubscribe');
    proxy.cutAll();
    await vi.waitFor(() => expect(ring).toHaveBeenCalled(), 10_000);
    expect(proxy.cuts).toBe(1);
    ring.mockClear();
    await touch(session);
    await vi.waitFor(() => expect(ring).toHaveBeenCalled());
  });
});
