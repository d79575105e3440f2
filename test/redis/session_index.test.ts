import { describe, expect, it, onTestFinished } from 'vitest';
import type { Connection } from '../../src/redis/connection.ts';
import { Keys } from '../../src/redis/keys.ts';
import { ensureSessionIndex } from '../../src/redis/session_index.ts';
import {
  connected,
  randomPrefix,
  removePrefix,
  startOwnRedis,
  storeOver,
  useRedis,
} from '../redis_fixture.ts';
import { aCaller, aQuery, aSession } from '../session_fixture.ts';

const redis = useRedis();

/** Keys nobody has an index for yet. */
function freshKeys(): Keys {
  const prefix = randomPrefix();
  onTestFinished(() => removePrefix(redis.connection, prefix));
  return new Keys(prefix);
}

async function indexes(connection: Connection, keys: Keys): Promise<string[]> {
  const all = (await connection.call('FT._LIST')) as string[];
  return all.filter((name) => name.startsWith(`${keys.sessionIndex}:`)).sort();
}

/** What FT.INFO says. */
async function info(connection: Connection, index: string): Promise<Map<string, unknown>> {
  const reply = (await connection.call('FT.INFO', index)) as unknown[];
  return new Map(reply.flatMap((name, at) => (at % 2 === 0 ? [[String(name), reply[at + 1]]] : [])));
}

async function behindAlias(connection: Connection, keys: Keys): Promise<unknown> {
  return (await info(connection, keys.sessionIndex)).get('index_name');
}

async function create(connection: Connection, keys: Keys) {
  const session = aSession();
  const store = storeOver(connection, keys);
  await store.mutate(session, aCaller(), () => ({ write: session, answer: null }));
  return session;
}

async function found(connection: Connection, keys: Keys): Promise<string[]> {
  const ids: string[] = [];
  const { signal } = new AbortController();
  for await (const { session } of storeOver(connection, keys).find(aQuery(), signal))
    ids.push(session.sessionId);
  return ids;
}

describe('the session index', () => {
  it('is made under a versioned name, behind an alias, and only once', async () => {
    const keys = freshKeys();
    await ensureSessionIndex(redis.connection, keys);
    const made = await indexes(redis.connection, keys);
    expect(made).toEqual([expect.stringMatching(/:index:session:v[1-9]\d*$/)]);
    const session = await create(redis.connection, keys);
    await ensureSessionIndex(redis.connection, keys);
    expect(await indexes(redis.connection, keys)).toEqual(made);
    expect(await behindAlias(redis.connection, keys)).toBe(made[0]);
    expect(await found(redis.connection, keys)).toEqual([session.sessionId]);
  });

  it('is made once by eight processes at a time', async () => {
    const keys = freshKeys();
    const processes = await Promise.all(Array.from({ length: 8 }, () => redis.connect()));
    await Promise.all(processes.map((connection) => ensureSessionIndex(connection, keys)));
    expect(await indexes(redis.connection, keys)).toEqual([await behindAlias(redis.connection, keys)]);
  });

  it('holds the sessions that were there before it', async () => {
    const keys = freshKeys();
    const session = await create(redis.connection, keys);
    await ensureSessionIndex(redis.connection, keys);
    expect(await found(redis.connection, keys)).toEqual([session.sessionId]);
  });

  it('takes the place of an older version', async () => {
    const keys = freshKeys();
    const old = `${keys.sessionIndex}:v0`;
    await redis.connection.call('FT.CREATE', old, 'ON', 'JSON', 'SCHEMA', '$.old', 'AS', 'old', 'TAG');
    await redis.connection.call('FT.ALIASADD', keys.sessionIndex, old);
    await ensureSessionIndex(redis.connection, keys);
    const [before, current] = await indexes(redis.connection, keys);
    expect(before).toBe(old);
    expect(await behindAlias(redis.connection, keys)).toBe(current);
  });

  it('leaves the alias with a newer version', async () => {
    const keys = freshKeys();
    const newer = `${keys.sessionIndex}:v1000`;
    await redis.connection.call('FT.CREATE', newer, 'ON', 'JSON', 'SCHEMA', '$.new', 'AS', 'new', 'TAG');
    await redis.connection.call('FT.ALIASADD', keys.sessionIndex, newer);
    await ensureSessionIndex(redis.connection, keys);
    expect(await behindAlias(redis.connection, keys)).toBe(newer);
    expect(await indexes(redis.connection, keys)).toEqual([newer]);
  });

  it('is there again after everything was flushed', async () => {
    const own = await startOwnRedis();
    const connection = await connected(own.path);
    onTestFinished(() => connection.close());
    const keys = new Keys('flushed');
    await ensureSessionIndex(connection, keys);
    await create(connection, keys);
    await connection.call('FLUSHALL');
    await expect(info(connection, keys.sessionIndex)).rejects.toThrow();
    await ensureSessionIndex(connection, keys);
    const session = await create(connection, keys);
    expect(await found(connection, keys)).toEqual([session.sessionId]);
  });

  it('indexes fields of our own making only, and tells letters by case', async () => {
    const keys = freshKeys();
    await ensureSessionIndex(redis.connection, keys);
    const about = await info(redis.connection, keys.sessionIndex);
    const attributes = (about.get('attributes') as string[][]).map((attribute) => attribute.map(String));
    expect(attributes.map((attribute) => attribute.slice(0, 6))).toEqual([
      ['identifier', '$.tokens[*]', 'attribute', 'tokens', 'type', 'TAG'],
      ['identifier', '$.createTime', 'attribute', 'createTime', 'type', 'NUMERIC'],
      ['identifier', '$.updateTime', 'attribute', 'updateTime', 'type', 'NUMERIC'],
    ]);
    expect(attributes[0]).toContain('CASESENSITIVE');
    expect(about.get('index_definition')).toContainEqual([keys.sessionPrefix]);
  });
});
