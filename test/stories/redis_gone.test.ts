import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askRedis } from '../../src/redis/data_lock.ts';
import { type Clients, newId, startParley } from '../harness.ts';
import { RedisProcess } from '../processes.ts';
import { failure, retryDelay, summary } from '../refusal.ts';

async function serverOn(redis: RedisProcess): Promise<Clients> {
  const server = await startParley({ REDIS_URL: redis.url, PARLEY_KEY_PREFIX: 'story' });
  onTestFinished(() => server.stop());
  return server;
}

/** Every change of the server's health, one at a time. */
function healthOf({ health }: Clients): () => Promise<'SERVING' | 'NOT_SERVING'> {
  const statuses = health.watch({})[Symbol.asyncIterator]();
  return async () => ((await statuses.next()).value?.status === 1 ? 'SERVING' : 'NOT_SERVING');
}

describe.each([
  {
    how: 'killed',
    leave: (redis: RedisProcess) => redis.kill(),
    back: (redis: RedisProcess) => redis.start(),
  },
  {
    how: 'hanging',
    leave: async (redis: RedisProcess) => redis.pause(),
    back: async (redis: RedisProcess) => redis.resume(),
  },
])('while Redis is $how', ({ leave, back }) => {
  it('calls are UNAVAILABLE within a second, health says so, and all comes back by itself', async () => {
    const redis = await RedisProcess.start();
    const server = await serverOn(redis);
    const { session } = await server.sessions.createSession({ session: { configs: { a: 1 } } });
    const { sessionId } = session!;
    const nextHealth = healthOf(server);
    expect(await nextHealth()).toBe('SERVING');

    await leave(redis);
    const calls = {
      get: () => server.sessions.getSession({ sessionId }),
      batch: () => server.sessions.batchGetSessions({ sessionIds: [sessionId] }),
      list: () => server.sessions.listSessions({ filterByConfigs: { a: 1 } }),
      create: () => server.sessions.createSession({ requestId: 'r' }),
      update: () => server.sessions.updateSession({ sessionId, dataPatch: { a: 1 } }),
      patch: () => server.configs.patchConfigs({ sessionId, configs: { a: 2 }, requestId: 'r' }),
      watch: () => server.configs.watchConfigs({ sessionId })[Symbol.asyncIterator]().next(),
    };
    for (const [name, call] of Object.entries(calls)) {
      const asked = performance.now();
      const error = await failure(call());
      expect(summary(error), name).toBe('UNAVAILABLE STORAGE_UNAVAILABLE');
      expect(performance.now() - asked, name).toBeLessThan(1100);
      expect(retryDelay(error), name).toBeGreaterThan(0);
      expect(error.rawMessage, name).not.toMatch(/redis|sock|ECONN|timed out/i);
    }
    expect(await nextHealth()).toBe('NOT_SERVING');

    await back(redis);
    expect(await nextHealth()).toBe('SERVING');
    expect((await server.sessions.getSession({ sessionId })).session!.sessionId).toBe(sessionId);
    // Whether the patch was done before the answer got lost or not: sent again, it is done once.
    const again = await server.configs.patchConfigs({ sessionId, configs: { a: 2 }, requestId: 'r' });
    expect(again).toMatchObject({ configs: { a: 2 }, revision: 2 });
    expect((await server.sessions.createSession({ requestId: 'r' })).created).toBe(true);
    expect((await server.sessions.listSessions({ filterByConfigs: { a: 2 } })).sessions).toHaveLength(1);
  });
});

it('a Redis that comes back no good is not trusted until it is', async () => {
  const redis = await RedisProcess.start();
  const nextHealth = healthOf(await serverOn(redis));
  expect(await nextHealth()).toBe('SERVING');
  await redis.kill();
  expect(await nextHealth()).toBe('NOT_SERVING');
  const served = nextHealth();
  await redis.start(['--maxmemory-policy', 'allkeys-lru']);
  await expect(Promise.race([served, sleep(1500, 'nothing')])).resolves.toBe('nothing');
  await askRedis(redis.url, 'CONFIG SET maxmemory-policy noeviction', 1000);
  expect(await served).toBe('SERVING');
});

it('a watcher misses no revision and sees none twice over two restarts of Redis', async () => {
  const redis = await RedisProcess.start();
  const [server, other] = [await serverOn(redis), await serverOn(redis)];
  const sessionId = newId();
  await server.sessions.createSession({ sessionId });
  const seen: number[] = [];
  const follow = async () => {
    for (;;) {
      try {
        const watch = server.configs.watchConfigs({ sessionId, afterRevision: seen.at(-1) ?? 0 });
        for await (const { event } of watch) {
          if (event.case !== 'revision') continue;
          seen.push(event.value.revision);
          if (event.value.configs?.n === 30) return;
        }
      } catch (error) {
        expect(summary(error as never)).toBe('UNAVAILABLE STORAGE_UNAVAILABLE');
        await serving(server);
      }
    }
  };
  const followed = follow();
  for (let n = 1; n <= 30; n++) {
    if (n % 10 === 0) {
      await redis.kill();
      await redis.start();
      await serving(other);
    }
    await other.configs.patchConfigs({ sessionId, configs: { n } });
  }
  await followed;
  expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
});

async function serving(server: Clients): Promise<void> {
  const abort = new AbortController();
  for await (const { status } of server.health.watch({}, { signal: abort.signal })) if (status === 1) break;
  abort.abort(); // leaving the loop alone leaves the stream open, and its connection with it
}
