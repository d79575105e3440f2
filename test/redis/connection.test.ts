import { hash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { ParleyError } from '../../src/errors.ts';
import { Connection } from '../../src/redis/connection.ts';
import { forAllAsync } from '../property.ts';
import { connected, randomPrefix, spawnRedis, startOwnRedis, useRedis } from '../redis_fixture.ts';
import { cuttingProxy } from './cutting_proxy.ts';

const redis = useRedis();

async function open(url: string): Promise<Connection> {
  const connection = await connected(url);
  onTestFinished(() => connection.close());
  return connection;
}

/** Notes what a connection says of itself. */
function eventsOf(connection: Connection): string[] {
  const events: string[] = [];
  connection.on('up', () => events.push('up'));
  connection.on('down', () => events.push('down'));
  return events;
}

async function failureOf(call: Promise<unknown>): Promise<{ error: ParleyError; after: number }> {
  const start = performance.now();
  const error = await call.then(
    () => new Error('the call succeeded'),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ParleyError);
  return { error: error as ParleyError, after: performance.now() - start };
}

it('is not taken for silent by a process that is late itself', async () => {
  const connection = await open(inject('redisUrl'));
  const answer = connection.call('ECHO', 'hello');
  await new Promise(setImmediate); // it is sent
  const end = performance.now() + 1200;
  while (performance.now() < end);
  expect(await answer).toBe('hello');
});

const echo = { lua: 'return {KEYS[1], ARGV[1]}', sha: 'd'.repeat(40) };

describe('a Redis that hangs', () => {
  it('makes commands UNAVAILABLE within a second, is noticed, and noticed again when it goes on', async () => {
    const { pid, path } = await startOwnRedis();
    const connection = await open(path);
    const events = eventsOf(connection);
    process.kill(pid!, 'SIGSTOP');
    try {
      const failures = await Promise.all([
        failureOf(connection.call('GET', 'a')),
        failureOf(connection.run(echo, ['a'], ['b'])),
      ]);
      for (const { error, after } of failures) {
        expect(error).toMatchObject({ reason: 'STORAGE_UNAVAILABLE', code: 'UNAVAILABLE' });
        expect(error.context.retryAfterMs).toBe(1000);
        expect(error.message).toBe('the storage does not answer');
        expect(after).toBeLessThan(1_000);
      }
      await vi.waitFor(() => expect(connection.isUp).toBe(false), 3_000);
    } finally {
      process.kill(pid!, 'SIGCONT');
    }
    await vi.waitFor(() => expect(connection.isUp).toBe(true), 3_000);
    expect(events).toEqual(['down', 'up']);
    expect(await connection.call('PING')).toBe('PONG');
  });
});

describe('a Redis that dies', () => {
  it('makes commands UNAVAILABLE at once, and is used again when it is back', async () => {
    const own = await startOwnRedis();
    const connection = await open(own.path);
    const events = eventsOf(connection);
    process.kill(own.pid!, 'SIGSTOP');
    const underWay = failureOf(connection.call('GET', 'a'));
    process.kill(own.pid!, 'SIGKILL');
    expect((await underWay).error.reason).toBe('STORAGE_UNAVAILABLE');
    await vi.waitFor(() => expect(events).toEqual(['down']));
    const { error, after } = await failureOf(connection.call('GET', 'a'));
    expect(error.reason).toBe('STORAGE_UNAVAILABLE');
    expect(after).toBeLessThan(100);
    await vi.waitFor(() => expect(events).toEqual(['down', 'up']), 10_000);
    expect(await connection.call('SET', 'a', '1')).toBe('OK');
  });

  it('leaves no words of its own in the error', async () => {
    const connection = new Connection(join(tmpdir(), 'no-such-directory', 'redis.sock'));
    onTestFinished(() => connection.close());
    const { error } = await failureOf(connection.call('GET', 'a'));
    expect(error.message).toBe('the storage does not answer');
    expect(error.cause).toBeInstanceOf(Error);
    expect(connection.isUp).toBe(false);
  });
});

describe('a connection that is cut before the answer', () => {
  it.each<[string, (connection: Connection, key: string) => Promise<unknown>]>([
    ['a command', (connection, key) => connection.call('INCR', key)],
    [
      'commands in one go',
      (connection, key) =>
        Promise.all([connection.call('INCR', key), connection.call('GET', key), connection.call('PING')]),
    ],
    [
      'a script',
      (connection, key) =>
        connection.run({ lua: "return redis.call('INCR', KEYS[1])", sha: 'e'.repeat(40) }, [key], []),
    ],
  ])('is an error for %s, and nothing is sent twice', async (_, send) => {
    const key = `${randomPrefix()}:count`;
    const proxy = await cuttingProxy(inject('redisUrl'));
    const connection = await open(proxy.path);
    proxy.cutAt('INCR');
    const { error } = await failureOf(send(connection, key));
    expect(error.reason).toBe('STORAGE_UNAVAILABLE');
    expect(proxy.cuts).toBe(1);
    await vi.waitFor(() => expect(connection.isUp).toBe(true));
    expect(await connection.call('PING')).toBe('PONG');
    expect(await redis.connection.call('GET', key)).toBe('1');
    await redis.connection.call('DEL', key);
  });
});

describe('a command', () => {
  it('takes its arguments as they are', async () => {
    const { connection, keys } = redis;
    const key = `${keys.sessionPrefix}odd`;
    const odd = 'a"b\'c\r\n*1\r\n$4\r\nPING\r\n\0 😀';
    await connection.call('SET', key, odd);
    expect(await connection.call('GET', key)).toBe(odd);
    expect(await connection.run(echo, [key], [odd])).toEqual([key, odd]);
    await connection.call('DEL', key);
  });

  it('that Redis refuses for what it is fails with what Redis says', async () => {
    await expect(redis.connection.call('NO-SUCH-COMMAND')).rejects.toThrow('unknown command');
    await expect(redis.connection.call('NO-SUCH-COMMAND')).rejects.not.toBeInstanceOf(ParleyError);
  });

  it('that finds no memory left is STORAGE_FULL', async () => {
    const { path } = await spawnRedis();
    const connection = await open(path);
    await connection.call('CONFIG', 'SET', 'maxmemory', '1');
    const { error } = await failureOf(connection.call('SET', 'a', '1'));
    expect(error).toMatchObject({ reason: 'STORAGE_FULL', code: 'RESOURCE_EXHAUSTED' });
    const script = { lua: "return redis.call('SET', KEYS[1], '1')", sha: 'f'.repeat(40) };
    expect((await failureOf(connection.run(script, ['a'], []))).error.reason).toBe('STORAGE_FULL');
  });

  it.each(['READONLY', 'LOADING', 'BUSY', 'MASTERDOWN', 'CLUSTERDOWN', 'MISCONF'])(
    'that Redis answers with %s is STORAGE_UNAVAILABLE',
    async (word) => {
      const script = { lua: 'return redis.error_reply(ARGV[1])', sha: 'a'.repeat(40) };
      const call = redis.connection.call('EVAL', script.lua, 0, `${word} not now`);
      expect((await failureOf(call)).error.reason).toBe('STORAGE_UNAVAILABLE');
    },
  );
});

describe('a script', () => {
  it('gets its keys and arguments as they are', async () => {
    const connection = await open(inject('redisUrl'));
    const back = { lua: 'return {KEYS, ARGV}', sha: hash('sha1', 'return {KEYS, ARGV}', 'hex') };
    const anyText = fc.string({ unit: 'binary', maxLength: 50 }).map((text) => text.toWellFormed());
    const anyArgument = fc.oneof(
      anyText,
      fc.integer(),
      fc.constantFrom('', '\r\n', '$5\r\n', '\u0000', '世界', '😀'),
    );
    await forAllAsync(
      [fc.array(anyText, { maxLength: 3 }), fc.array(anyArgument, { maxLength: 5 })],
      async (keys, args) => {
        const [gotKeys, gotArgs] = (await connection.run(back, keys, args)) as string[][];
        expect([gotKeys, gotArgs]).toEqual([keys, args.map(String)]);
      },
      100,
    );
    const bytes = Buffer.from([0xff, 0x00, 0x0d, 0x0a]);
    const length = { lua: 'return #ARGV[2]', sha: hash('sha1', 'return #ARGV[2]', 'hex') };
    expect(
      await Promise.all([connection.run(length, [], ['ä', bytes]), connection.run(back, ['k'], ['ä'])]),
    ).toEqual([4, [['k'], ['ä']]]);
  });

  it('is sent to a Redis that does not know it, and goes on working when Redis forgets it', async () => {
    const { path } = await spawnRedis();
    const connection = await open(path);
    const lua = "return redis.call('INCR', KEYS[1])";
    const script = { lua, sha: 'b'.repeat(40) };
    const known = { lua, sha: String(await connection.call('SCRIPT', 'LOAD', lua)) };
    expect(await connection.run(script, ['n'], [])).toBe(1);
    expect(await connection.run(known, ['n'], [])).toBe(2);
    await connection.call('SCRIPT', 'FLUSH');
    expect(await Promise.all([1, 2, 3].map(() => connection.run(known, ['n'], [])))).toEqual([3, 4, 5]);
    expect(await connection.run(known, ['n'], [])).toBe(6);
  });
});
