/**
 * The session index: created once, under a versioned name, reached through an
 * alias. A newer version builds its index beside the old one and moves the alias
 * when it is complete; an older one never moves it back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { createArguments, sessionSchema } from './om.ts';

/** Count up whenever `sessionSchema` or the meaning of a token changes. */
const SESSION_INDEX_VERSION = 1;

/** Makes sure that the alias leads to an index of this version or a newer one; safe for many processes at once. */
export async function ensureSessionIndex(redis: Connection, keys: Keys): Promise<void> {
  const alias = keys.sessionIndex;
  const current = await indexBehind(redis, alias);
  if (current !== undefined && versionOf(current) >= SESSION_INDEX_VERSION) return;
  const index = `${alias}:v${SESSION_INDEX_VERSION}`;
  await create(redis, index, await createArguments(sessionSchema(keys)));
  await complete(redis, index);
  // Not while somebody moved on: the version is read again at the last moment.
  const meanwhile = await indexBehind(redis, alias);
  if (meanwhile === undefined || versionOf(meanwhile) < SESSION_INDEX_VERSION) {
    await redis.call('FT.ALIASUPDATE', alias, index);
  }
}

async function create(redis: Connection, index: string, args: string[]): Promise<void> {
  try {
    await redis.call('FT.CREATE', index, ...args);
  } catch (error) {
    if (!/already exists/i.test((error as Error).message)) throw error;
  }
}

/** Waits until documents that were there before the index are in it. */
async function complete(redis: Connection, index: string): Promise<void> {
  while (Number((await info(redis, index))?.get('indexing')) === 1) await sleep(100);
}

async function indexBehind(redis: Connection, alias: string): Promise<string | undefined> {
  return (await info(redis, alias))?.get('index_name') as string | undefined;
}

async function info(redis: Connection, index: string): Promise<Map<string, unknown> | undefined> {
  try {
    const reply = (await redis.call('FT.INFO', index)) as unknown[];
    return new Map(reply.flatMap((name, at) => (at % 2 === 0 ? [[String(name), reply[at + 1]]] : [])));
  } catch (error) {
    // 'Unknown index name' before Redis 8, 'no such index' since.
    if (/unknown index|no such index|not found/i.test((error as Error).message)) return undefined;
    throw error;
  }
}

function versionOf(index: string): number {
  return Number(/:v(\d+)$/.exec(index)?.[1] ?? 0);
}
