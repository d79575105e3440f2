/**
 * The word tables of documents, as last read: a table is made once, under a name
 * of its own, so that one that is known is never out of date. Which documents
 * there are is not known here, and looked up with every search.
 */
import { LRUCache } from 'lru-cache';
import type { Entry } from '../documents/store.ts';
import { WordTable } from '../documents/word_table.ts';
import type { SessionKey } from '../sessions/session.ts';
import { Slices } from '../slices.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';

/** What is kept of tables: of some fifty megabytes of documents. */
const KEPT_BYTES = 64 * 1024 * 1024;
/** Read at a time, in chunks of documents: some half a megabyte, which keeps Redis for less than a millisecond. */
const READ_AT_ONCE = 500;
/** What reading tables may take of a turn of the event loop, in milliseconds. */
const SLICE = 5;

export class WordTables {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #tables = new LRUCache<string, WordTable>({
    maxSize: KEPT_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
  });
  readonly #slices = new Slices(SLICE);

  constructor(redis: Connection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** In the same order; undefined for one that is gone. */
  async of(key: SessionKey, entries: readonly Entry[]): Promise<(WordTable | undefined)[]> {
    const known = new Map(entries.map(({ made }) => [made, this.#tables.get(made)]));
    const missing = entries.filter(({ made }) => !known.get(made));
    for (const batch of batches(missing)) {
      const names = batch.map(({ made }) => this.#keys.words(key, made));
      const texts = (await this.#redis.call('MGET', ...names)) as (string | null)[];
      for (const [at, text] of texts.entries()) {
        if (text !== null) known.set(batch[at]!.made, this.#keep(batch[at]!.made, text));
        const due = this.#slices.whenDue();
        if (due) await due;
      }
    }
    return entries.map(({ made }) => known.get(made));
  }

  #keep(made: string, text: string): WordTable {
    const table = new WordTable(text);
    this.#tables.set(made, table);
    return table;
  }
}

function* batches(entries: readonly Entry[]): Generator<readonly Entry[]> {
  let from = 0;
  let chunks = 0;
  for (const [at, { chunkCount }] of entries.entries()) {
    if (chunks > 0 && chunks + chunkCount > READ_AT_ONCE) {
      yield entries.slice(from, at);
      [from, chunks] = [at, 0];
    }
    chunks += chunkCount;
  }
  if (from < entries.length) yield entries.slice(from);
}
