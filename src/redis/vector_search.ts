/**
 * Finds the vectors nearest to one, among those of one session. What is asked for
 * are hashes and parameters: there is no text of a caller in a query.
 */
import type { Ranked } from '../documents/ranking.ts';
import type { Vector } from '../documents/store.ts';
import type { SessionKey } from '../sessions/session.ts';
import type { Connection } from './connection.ts';
import { vectorField } from './document_index.ts';
import type { Keys } from './keys.ts';

/** Longer than a command may take, so that Redis never answers with what it happened to find by then. */
const TIMEOUT = ['TIMEOUT', 1000, 'DIALECT', 2] as const;

export class VectorSearch {
  readonly #redis: Connection;
  readonly #keys: Keys;

  constructor(redis: Connection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The best first, scored by cosine similarity. `of`: what the chunks are found by, any of them: hashes. */
  async nearest(key: SessionKey, of: readonly string[], vector: Vector, count: number): Promise<Ranked[]> {
    const { buffer, byteOffset, byteLength } = vector.values;
    const knn = `KNN ${count} @${vectorField(vector)} $vector HYBRID_POLICY ADHOC_BF AS distance`;
    const reply = (await this.#redis.call(
      'FT.SEARCH',
      this.#keys.documentIndex,
      `(@of:{${of.join('|')}})=>[${knn}]`,
      'PARAMS',
      2,
      'vector',
      Buffer.from(buffer, byteOffset, byteLength),
      'RETURN',
      1,
      'distance',
      'SORTBY',
      'distance',
      'LIMIT',
      0,
      count,
      ...TIMEOUT,
    )) as unknown[];
    return this.#ranked(key, reply.slice(1));
  }

  /** Of keys and their fields; what is not of the session is left out. */
  #ranked(key: SessionKey, reply: readonly unknown[]): Ranked[] {
    const prefix = this.#keys.vectorPrefix(key);
    const found: Ranked[] = [];
    for (let at = 0; at < reply.length; at += 2) {
      const [name, fields] = reply.slice(at, at + 2) as [string, string[] | null];
      // What expired, and Redis has not yet swept up, has no fields.
      if (fields?.[1] === undefined || !name.startsWith(prefix)) continue;
      found.push({ chunk: name.slice(prefix.length), score: 1 - Number(fields[1]) });
    }
    return found;
  }
}
