/**
 * Searches among the chunks of one session.
 *
 * Redis tells which chunks have a word, and how often; what that is worth is
 * decided by the domain. (The scorer DISMAX gives the plain count, once the tag
 * weighs nothing; BM25's would weigh words by how rare they are in everybody's
 * documents.) What is asked for comes from `documents/words.ts` and from hashes,
 * and goes as parameters: there is no text of a caller in a query.
 */
import type { Ranked, WordHits } from '../documents/ranking.ts';
import type { Vector } from '../documents/store.ts';
import type { SessionKey } from '../sessions/session.ts';
import type { Connection } from './connection.ts';
import { vectorField } from './document_index.ts';
import type { Keys } from './keys.ts';

/** The most hits that are read for all words together, and for each at least. */
const MOST_HITS = 20_000;
const MOST_HITS_OF_ONE = 500;
/** Longer than a command may take, so that Redis never answers with what it happened to find by then. */
const TIMEOUT = ['TIMEOUT', 1000, 'DIALECT', 2] as const;

export class PassageSearch {
  readonly #redis: Connection;
  readonly #keys: Keys;

  constructor(redis: Connection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** `of`: what the chunks are found by, any of them: hashes. */
  having(key: SessionKey, of: readonly string[], words: readonly string[]): Promise<WordHits[]> {
    const most = Math.max(MOST_HITS_OF_ONE, Math.floor(MOST_HITS / Math.max(1, words.length)));
    return Promise.all(words.map((word) => this.#havingWord(key, of, word, most)));
  }

  /** Scored by cosine similarity. */
  async nearest(key: SessionKey, of: readonly string[], vector: Vector, count: number): Promise<Ranked[]> {
    const { buffer, byteOffset, byteLength } = vector.values;
    const knn = `KNN ${count} @${vectorField(vector)} $vector HYBRID_POLICY ADHOC_BF AS distance`;
    const hits = await this.#search(
      key,
      `(${tagged(of)})=>[${knn}]`,
      'PARAMS',
      2,
      'vector',
      Buffer.from(buffer, byteOffset, byteLength),
      'RETURN',
      1,
      'distance',
      'SORTBY',
      'distance',
      'WITHSCORES',
      'LIMIT',
      0,
      count,
    );
    return hits.found.map(({ chunk, field }) => ({ chunk, score: 1 - field }));
  }

  async #havingWord(key: SessionKey, of: readonly string[], word: string, most: number): Promise<WordHits> {
    const { total, found } = await this.#search(
      key,
      `(${tagged(of)})=>{$weight: 0} @words:$word`,
      'PARAMS',
      2,
      'word',
      word,
      'VERBATIM',
      'SCORER',
      'DISMAX',
      'WITHSCORES',
      'RETURN',
      1,
      'length',
      'LIMIT',
      0,
      most,
    );
    return { total, hits: found.map(({ chunk, score, field }) => ({ chunk, count: score, length: field })) };
  }

  /** Runs a query that gives a score and one number for each chunk; what is not of the session is left out. */
  async #search(key: SessionKey, query: string, ...options: (string | number | Buffer)[]) {
    const reply = (await this.#redis.call(
      'FT.SEARCH',
      this.#keys.documentIndex,
      query,
      ...options,
      ...TIMEOUT,
    )) as unknown[];
    const prefix = this.#keys.chunkPrefix(key);
    const found: { chunk: string; score: number; field: number }[] = [];
    for (let at = 1; at < reply.length; at += 3) {
      const [id, score, fields] = reply.slice(at, at + 3) as [string, string, string[] | null];
      // A chunk that expired, and that Redis has not yet swept up, has no fields.
      if (fields?.[1] === undefined || !id.startsWith(prefix)) continue;
      found.push({ chunk: id.slice(prefix.length), score: Number(score), field: Number(fields[1]) });
    }
    return { total: reply[0] as number, found };
  }
}

function tagged(of: readonly string[]): string {
  return `@of:{${of.join('|')}}`;
}
