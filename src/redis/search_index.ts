/**
 * A search index: created once, under a versioned name, reached through an
 * alias. A newer version builds its index beside the old one and moves the alias
 * when it is complete; an older one never moves it back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from './connection.ts';

export interface IndexDefinition {
  readonly alias: string;
  /** Count up whenever the fields, or the meaning of what is in them, change. */
  readonly version: number;
  /** What FT.CREATE takes behind the name. */
  readonly arguments: readonly string[];
}

/** Makes sure that the alias leads to an index of this version or a newer one; safe for many processes at once. */
export async function ensureIndex(redis: Connection, definition: IndexDefinition): Promise<void> {
  const { alias, version } = definition;
  const current = await indexBehind(redis, alias);
  if (current !== undefined && versionOf(current) >= version) return;
  const index = `${alias}:v${version}`;
  await create(redis, index, definition.arguments);
  await complete(redis, index);
  // Not while somebody moved on: the version is read again at the last moment.
  const meanwhile = await indexBehind(redis, alias);
  if (meanwhile === undefined || versionOf(meanwhile) < version) {
    await redis.call('FT.ALIASUPDATE', alias, index);
  }
}

async function create(redis: Connection, index: string, args: readonly string[]): Promise<void> {
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
