import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { checkRedis, UnsuitableRedisError } from '../../src/redis/check.ts';
import type { Connection } from '../../src/redis/connection.ts';
import { connected, modules, spawnRedis } from '../redis_fixture.ts';

async function connectionTo(path: string): Promise<Connection> {
  const connection = await connected(path);
  onTestFinished(() => connection.close());
  return connection;
}

/** What is said against a Redis. */
async function objection(path: string): Promise<string> {
  const connection = await connectionTo(path);
  const error = await checkRedis(connection).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(UnsuitableRedisError);
  return (error as Error).message;
}

describe('checking a Redis', () => {
  it('finds nothing wrong with the private one', async () => {
    await expect(checkRedis(await connectionTo(inject('redisUrl')))).resolves.toBeUndefined();
  });

  it('names every module that is missing, and three ways out', async () => {
    const { path } = await spawnRedis();
    expect(await objection(path)).toBe(
      'this Redis has no RedisJSON and no RediSearch: use Redis 8 with its modules, or Redis Stack 7.4, or leave REDIS_URL unset to let Parley start its own',
    );
  });

  it('names the one module that is missing', async () => {
    const { path } = await spawnRedis(...(await modules()).slice(0, 2));
    expect(await objection(path)).toMatch(/^this Redis has no (RedisJSON|RediSearch): use Redis 8/);
  });

  it.each(['allkeys-lru', 'volatile-ttl'])('refuses one that would drop sessions (%s)', async (policy) => {
    const { path } = await spawnRedis(...(await modules()));
    const connection = await connectionTo(path);
    await connection.call('CONFIG', 'SET', 'maxmemory-policy', policy);
    expect(await objection(path)).toBe(
      `this Redis would drop sessions when its memory is full (maxmemory-policy ${policy}): set it to noeviction`,
    );
    await connection.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await expect(checkRedis(connection)).resolves.toBeUndefined();
  });

  it.each([
    ['6.2.14', false],
    ['7.2.9', false],
    ['7.4.0', true],
    ['7.10.0', true],
    ['8.0.1', true],
    ['10.0.0', true],
  ])('goes by numbers in versions: %s', async (version, good) => {
    const answers: Record<string, unknown> = {
      INFO: `# Server\r\nredis_version:${version}\r\n\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n`,
      COMMAND: [['json.set'], ['ft.search']],
    };
    const connection = { call: async (command: string) => answers[command] } as unknown as Connection;
    const verdict = checkRedis(connection);
    if (good) await expect(verdict).resolves.toBeUndefined();
    else await expect(verdict).rejects.toThrow(`Redis ${version} is too old: Parley needs 7.4.0 or newer`);
  });
});
