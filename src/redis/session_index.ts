/** The index by which sessions are found. */
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { createArguments, sessionSchema } from './om.ts';
import { ensureIndex } from './search_index.ts';

/** Count up whenever `sessionSchema` or the meaning of a token changes. */
const SESSION_INDEX_VERSION = 1;

export async function ensureSessionIndex(redis: Connection, keys: Keys): Promise<void> {
  await ensureIndex(redis, {
    alias: keys.sessionIndex,
    version: SESSION_INDEX_VERSION,
    arguments: await createArguments(sessionSchema(keys)),
  });
}
