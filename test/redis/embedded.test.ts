import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findRedis } from '../../src/redis/binary.ts';
import { identityOf, isRunning } from '../../src/redis/data_lock.ts';
import {
  DataDirectoryInUseError,
  type EmbeddedRedis,
  EmbeddedRedisError,
  type EmbeddedRedisOptions,
  startEmbeddedRedis,
} from '../../src/redis/embedded.ts';

const ownerScript = join(import.meta.dirname, 'fixtures', 'redis_owner.ts');

describe('the private Redis', () => {
  let dir: string;
  let announced: string[];
  let cleanUp: (() => unknown)[];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'parley-test-'));
    announced = [];
    cleanUp = [() => rmSync(dir, { recursive: true })];
  });
  afterEach(async () => {
    for (const step of cleanUp.reverse()) await step();
  });

  async function start(options: Partial<EmbeddedRedisOptions> = {}): Promise<EmbeddedRedis> {
    const announce = (line: string) => announced.push(line);
    const redis = await startEmbeddedRedis({ dataDir: dir, announce, ...options });
    cleanUp.push(() => redis.stop());
    return redis;
  }

  function connect(path: string): Redis {
    const client = new Redis({ path, protocol: 2, retryStrategy: () => 20 });
    client.on('error', () => {}); // some of these tests kill the other end
    cleanUp.push(() => client.disconnect());
    return client;
  }

  /** Another process that owns a Redis on the same directory, to be killed as no handler can soften. */
  async function startOwner(then = ''): Promise<{ owner: ChildProcess; path: string; pid: number }> {
    const stdio = ['ignore', 'pipe', then === '' ? 'inherit' : 'ignore'] as const;
    const owner = spawn(process.execPath, [ownerScript, dir, then], { stdio: [...stdio], detached: true });
    cleanUp.push(() => owner.kill('SIGKILL'));
    const [line] = await once(createInterface(owner.stdout!), 'line');
    const { path, pid } = JSON.parse(String(line));
    const redis = identityOf(pid);
    cleanUp.push(() => {
      if (isRunning(redis)) process.kill(pid, 'SIGKILL');
      rmSync(dirname(path), { recursive: true, force: true });
    });
    return { owner, path, pid };
  }

  async function kill(owner: ChildProcess): Promise<void> {
    owner.kill('SIGKILL');
    await once(owner, 'exit');
  }

  it('has JSON and Search, and fails a search that takes too long instead of shortening it', async () => {
    const client = connect((await start()).path);
    await client.call('JSON.SET', 'doc', '$', '{"a":1}');
    expect(await client.call('JSON.GET', 'doc')).toBe('{"a":1}');
    expect(await client.call('FT.CONFIG', 'GET', 'ON_TIMEOUT')).toEqual([['ON_TIMEOUT', 'fail']]);
    expect(await client.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
    expect(announced).toEqual([]);
  });

  it('keeps every acknowledged write when it and its server are killed', async () => {
    const { owner, path, pid } = await startOwner();
    const client = connect(path);
    for (let i = 0; i < 100; i++) await client.call('JSON.SET', `doc:${i}`, '$', `${i}`);
    process.kill(pid, 'SIGKILL');
    await kill(owner);
    const survivor = connect((await start()).path);
    expect(await survivor.dbsize()).toBe(100);
    expect(await survivor.call('JSON.GET', 'doc:99')).toBe('99');
  });

  it('refuses a second server on its directory and names the first', async () => {
    const { owner } = await startOwner();
    const second = start();
    await expect(second).rejects.toThrow(DataDirectoryInUseError);
    await expect(second).rejects.toThrow(`process ${owner.pid}`);
  });

  it('stops the Redis a killed server left running, and goes on with its data', async () => {
    const { owner, path, pid } = await startOwner();
    await connect(path).set('said', 'hello');
    const orphan = identityOf(pid);
    await kill(owner);
    expect(isRunning(orphan)).toBe(true);

    const next = await start();
    expect(isRunning(orphan)).toBe(false);
    expect(announced).toEqual([`Stopping the Redis (process ${pid}) that an earlier server left behind`]);
    expect(existsSync(dirname(path))).toBe(false);
    expect(await connect(next.path).get('said')).toBe('hello');
  });

  it('stops an orphan whose socket has been swept away', async () => {
    const { owner, path, pid } = await startOwner();
    const orphan = identityOf(pid);
    await kill(owner);
    rmSync(dirname(path), { recursive: true });
    await start();
    expect(isRunning(orphan)).toBe(false);
  });

  it('leaves a process alone that only has the pid of an old Redis', async () => {
    const bystander = spawn('sleep', ['60'], { stdio: 'ignore' });
    cleanUp.push(() => bystander.kill());
    const state = { socket: join(dir, 'gone', 'redis.sock'), redis: identityOf(bystander.pid!) };
    writeFileSync(join(dir, 'redis.json'), JSON.stringify(state));
    await start();
    expect(isRunning(state.redis)).toBe(true);
  });

  it('is started again on the same socket when it dies, with its data', async () => {
    const onExit = vi.fn();
    const redis = await start({ onExit });
    const client = connect(redis.path);
    await client.set('said', 'hello');
    const first = redis.pid!;
    for (const _ of [1, 2]) {
      process.kill(redis.pid!, 'SIGKILL');
      await vi.waitFor(() => expect(redis.pid).toBeUndefined());
      await vi.waitFor(() => expect(redis.pid).toBeDefined());
      expect(await client.get('said')).toBe('hello');
    }
    expect(redis.pid).not.toBe(first);
    expect(onExit.mock.calls.flat()).toEqual([
      expect.stringContaining('died of SIGKILL; starting it again in 100 ms'),
      expect.stringContaining('died of SIGKILL; starting it again in 200 ms'),
    ]);
  });

  it('stops cleanly while it waits to be started again', async () => {
    const redis = await start();
    process.kill(redis.pid!, 'SIGKILL');
    await vi.waitFor(() => expect(redis.pid).toBeUndefined());
    await redis.stop();
    await new Promise((passed) => setTimeout(passed, 300));
    expect(redis.pid).toBeUndefined();
    expect(readdirSync(dir).sort()).toEqual(['appendonlydir', 'redis.log']);
  });

  it('leaves the data and the log behind, but no process, socket or lock', async () => {
    const redis = await start();
    const child = identityOf(redis.pid!);
    await Promise.all([redis.stop(), redis.stop()]);
    expect(isRunning(child)).toBe(false);
    expect(existsSync(dirname(redis.path))).toBe(false);
    expect(readdirSync(dir).sort()).toEqual(['appendonlydir', 'redis.log']);
    await (await start()).stop();
  });

  it('goes down with a server that ends without stopping it', async () => {
    const { owner, path, pid } = await startOwner('throw');
    const child = identityOf(pid);
    await once(owner, 'exit');
    await vi.waitFor(() => expect(isRunning(child)).toBe(false));
    expect(existsSync(dirname(path))).toBe(false);
  });

  it('is not hit by the Ctrl-C that hits its server', async () => {
    const { owner, path } = await startOwner();
    process.kill(-owner.pid!, 'SIGINT'); // what a terminal does: the whole foreground group
    await once(owner, 'exit');
    expect(await connect(path).ping()).toBe('PONG');
  });

  it('works in a data directory deeper than a socket path can be', async () => {
    const deep = join(dir, 'd'.repeat(100), 'with spaces and "quotes"', 'e'.repeat(100));
    const redis = await start({ dataDir: deep });
    expect(await connect(redis.path).set('said', 'hello')).toBe('OK');
    expect(existsSync(join(deep, 'appendonlydir'))).toBe(true);
  });

  it('says so while it loads its data', async () => {
    const before = await start();
    const pipeline = connect(before.path).pipeline();
    for (let i = 0; i < 3_000; i++) pipeline.set(`key:${i}`, '');
    await pipeline.exec();
    await before.stop();

    const { server, modulesDir } = await findRedis({ announce() {} });
    const slow = join(dir, 'slow-redis');
    writeFileSync(slow, `#!/bin/sh\nexec '${server}' "$@" --key-load-delay 1000\n`);
    chmodSync(slow, 0o755);
    const redis = await start({ server: slow, modulesDir });
    expect(announced).toEqual(['Redis is loading its data']);
    expect(await connect(redis.path).dbsize()).toBe(3_000);
  });

  it('that does not start leaves its last words', async () => {
    await (await start()).stop();
    const manifest = join(dir, 'appendonlydir', 'appendonly.aof.manifest');
    writeFileSync(manifest, `${readFileSync(manifest, 'utf8')}nonsense\n`);
    const failure = start();
    await expect(failure).rejects.toThrow(EmbeddedRedisError);
    await expect(failure).rejects.toThrow(/ended with code 1, before it was ready(.|\n)*AOF manifest file/);
    expect(readdirSync(dir).sort()).toEqual(['appendonlydir', 'redis.log']);
  });

  it('says when the data directory cannot be written', async () => {
    writeFileSync(join(dir, 'file'), '');
    const failure = start({ dataDir: join(dir, 'file', 'data') });
    await expect(failure).rejects.toThrow(EmbeddedRedisError);
    await expect(failure).rejects.toThrow(`${join(dir, 'file', 'data')} cannot be written: ENOTDIR`);
  });

  it('begins a new log when the old one has grown past 10 MB', async () => {
    writeFileSync(join(dir, 'redis.log'), Buffer.alloc(11 * 1024 * 1024, 'x'));
    await start();
    expect(readFileSync(join(dir, 'redis.log'), 'utf8')).not.toContain('xxx');
  });

  it('listens where only this user can reach it', async () => {
    const redis = await start();
    expect(statSync(dirname(redis.path)).mode & 0o777).toBe(0o700);
    expect(statSync(redis.path).mode & 0o777).toBe(0o700);
  });
});
