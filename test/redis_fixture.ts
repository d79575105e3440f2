/** Redis for one test file: connections to the run's Redis, under a key prefix nobody else has. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, inject, onTestFinished } from 'vitest';
import { findRedis, moduleArguments } from '../src/redis/binary.ts';
import { Connection } from '../src/redis/connection.ts';
import { RedisDoorbell } from '../src/redis/doorbell.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../src/redis/embedded.ts';
import { Keys } from '../src/redis/keys.ts';
import type { Decide } from '../src/redis/mutations.ts';
import { ensureSessionIndex } from '../src/redis/session_index.ts';
import { RedisSessions } from '../src/redis/sessions.ts';
import { RedisTurns } from '../src/redis/turns.ts';
import { sessionEncoder } from '../src/services/session_encoder.ts';
import { writeFrame } from '../src/services/turn_messages.ts';
import type { SessionKey } from '../src/sessions/session.ts';
import type { Caller } from '../src/sessions/store.ts';

export interface RedisFixture {
  readonly connection: Connection;
  readonly keys: Keys;
  /** Another connection to the same Redis, as another process has one; closed with the file. */
  connect(): Promise<Connection>;
}

/** For the whole test file, the session index included; what it wrote is gone afterwards. */
export function useRedis(): RedisFixture {
  const prefix = randomPrefix();
  const connections: Connection[] = [];
  const connect = async () => {
    const connection = await connected(inject('redisUrl'));
    connections.push(connection);
    return connection;
  };
  const fixture = { connect, keys: new Keys(prefix) } as {
    -readonly [K in keyof RedisFixture]: RedisFixture[K];
  };
  beforeAll(async () => {
    fixture.connection = await connect();
    await ensureSessionIndex(fixture.connection, fixture.keys);
  });
  afterAll(async () => {
    await removePrefix(fixture.connection, prefix);
    for (const connection of connections) connection.close();
  });
  return fixture;
}

/** The store, as one server process has it. */
export function storeOver(connection: Connection, keys: Keys): RedisSessions {
  return new RedisSessions(connection, keys, sessionEncoder);
}

/** The log of turns, as one server process has it. */
export function logOver(connection: Connection, keys: Keys): RedisTurns {
  return new RedisTurns(connection, keys, new RedisDoorbell(connection, keys), writeFrame);
}

/** Mutates a session; the answer alone. */
export async function mutate<T>(
  store: RedisSessions,
  key: SessionKey,
  caller: Caller,
  decide: Decide<T>,
  expect?: 'absent',
): Promise<T> {
  return (await store.mutate(key, caller, decide, expect)).answer;
}

/** A Redis of one test's own, to be hurt. */
export async function startOwnRedis(): Promise<EmbeddedRedis & { readonly dataDir: string }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-test-'));
  const redis = await startEmbeddedRedis({ dataDir, announce() {} });
  onTestFinished(async () => {
    await redis.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return Object.assign(redis, { dataDir });
}

/** The same redis-server with other arguments, bare of modules unless they are among them; gone with the test. */
export async function spawnRedis(
  ...args: string[]
): Promise<{ readonly path: string; readonly pid: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'parley-test-'));
  const path = join(dir, 'redis.sock');
  const { server } = await findRedis({ announce() {} });
  const listen = ['--port', '0', '--unixsocket', path, '--dir', dir, '--save', ''];
  const child = spawn(server, [...listen, ...args], {
    stdio: 'ignore',
    env: { ...process.env, LC_ALL: 'C' },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  return { path, pid: child.pid! };
}

/** Its arguments for the modules that Parley needs. */
export async function modules(): Promise<string[]> {
  return moduleArguments((await findRedis({ announce() {} })).modulesDir);
}

/** A connection that is up. */
export async function connected(url: string): Promise<Connection> {
  const connection = new Connection(url);
  while (!connection.isUp) await sleep(5);
  return connection;
}

export function randomPrefix(): string {
  return `test-${randomBytes(6).toString('hex')}`;
}

/** Removes every key and index of a prefix. */
export async function removePrefix(connection: Connection, prefix: string): Promise<void> {
  const indexes = (await connection.call('FT._LIST')) as string[];
  for (const index of indexes.filter((name) => name.startsWith(`${prefix}:`))) {
    await connection.call('FT.DROPINDEX', index);
  }
  for (let cursor = '0'; ; ) {
    const [next, found] = (await connection.call('SCAN', cursor, 'MATCH', `${prefix}:*`, 'COUNT', 1000)) as [
      string,
      string[],
    ];
    if (found.length > 0) await connection.call('UNLINK', ...found);
    cursor = next;
    if (cursor === '0') return;
  }
}
