/**
 * The index by which chunks of documents are found by their meaning: whose they
 * are, and their vectors. Words are not its business: taking all of a text's up
 * kept Redis, which has one thread, for a millisecond and a half each 10 KB; see
 * `documents/word_table.ts`.
 *
 * Chunks are hashes, not RedisJSON, since a vector there is its bytes and not a
 * text of its numbers; redis-om has no part in it, not knowing parameters. Each
 * model's vectors of each dimension have a field of their own, added when the
 * first is made: vectors of another model are not searched, and harm nobody.
 */
import { hash } from 'node:crypto';
import type { Vector } from '../documents/store.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { ensureIndex } from './search_index.ts';

/** Count up whenever the fields change. */
const DOCUMENT_INDEX_VERSION = 2;

export function ensureDocumentIndex(redis: Connection, keys: Keys): Promise<void> {
  const options = ['ON', 'HASH', 'PREFIX', '1', keys.vectorsPrefix];
  return ensureIndex(redis, {
    alias: keys.documentIndex,
    version: DOCUMENT_INDEX_VERSION,
    arguments: [...options, 'SCHEMA', 'of', 'TAG', 'CASESENSITIVE'],
  });
}

/** The field of vectors like this one. */
export function vectorField({ model, values }: Vector): string {
  return `v${hash('sha256', `${model}\n${values.length}`, 'hex').slice(0, 16)}`;
}

/**
 * Every search is within one session, where all vectors are compared: exactly, and whatever others store. The graph
 * is only kept, so it is kept small: a vector is then stored in a quarter of the time, and removed in half of it.
 */
const GRAPH = ['M', '4', 'EF_CONSTRUCTION', '8'];

/** Makes sure that vectors like this one are indexed. */
export async function ensureVectorField(redis: Connection, keys: Keys, vector: Vector): Promise<void> {
  const type = [
    'TYPE',
    'FLOAT32',
    'DIM',
    String(vector.values.length),
    'DISTANCE_METRIC',
    'COSINE',
    ...GRAPH,
  ];
  try {
    await redis.call(
      'FT.ALTER',
      keys.documentIndex,
      'SCHEMA',
      'ADD',
      vectorField(vector),
      'VECTOR',
      'HNSW',
      type.length,
      ...type,
    );
  } catch (error) {
    if (!/duplicate/i.test((error as Error).message)) throw error;
  }
}
