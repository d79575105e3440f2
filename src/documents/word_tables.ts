/**
 * The word tables of documents, each made when a search first looks into the
 * document: most are stored more often than they are searched, and making a table
 * is most of what storing one would cost. A document never changes, so that a
 * table that is known is never out of date; which documents there are is looked
 * up with every search.
 */
import { LRUCache } from 'lru-cache';
import type { SessionKey } from '../sessions/session.ts';
import { Slices } from '../slices.ts';
import type { DocumentStore, Entry } from './store.ts';
import { readWords, type WordTable } from './word_table.ts';

/** What is kept of tables: of some sixty megabytes of documents, which take a second and a half to read. */
const KEPT_BYTES = 64 * 1024 * 1024;
/** Read at a time, in chunks of documents: some half a megabyte, which keeps Redis for less than a millisecond. */
const READ_AT_ONCE = 300;

export class WordTables {
  readonly #store: DocumentStore;
  readonly #slices = new Slices();
  /** Searches that need the same table at the same time wait for one. */
  readonly #tables = new LRUCache<string, WordTable, Wanted>({
    maxSize: KEPT_BYTES,
    sizeCalculation: ({ bytes }) => bytes,
    fetchMethod: (_made, _stale, { context }) => this.#read(context),
    ignoreFetchAbort: true,
  });

  constructor(store: DocumentStore) {
    this.#store = store;
  }

  /** In the same order; undefined for one that is gone. */
  async of(key: SessionKey, entries: readonly Entry[]): Promise<(WordTable | undefined)[]> {
    const known = new Map(entries.map(({ made }) => [made, this.#tables.get(made)]));
    const missing = entries.filter(({ made }) => !known.get(made));
    for (const batch of batches(missing)) {
      const read = (entry: Entry) => this.#tables.fetch(entry.made, { context: { key, entry } });
      const tables = await Promise.all(batch.map(read));
      for (const [at, { made }] of batch.entries()) known.set(made, tables[at]);
    }
    return entries.map(({ made }) => known.get(made));
  }

  async #read({ key, entry }: Wanted): Promise<WordTable | undefined> {
    const text = await this.#store.text(key, entry);
    return text && readWords(text, this.#slices);
  }
}

/** A document whose words are wanted. */
interface Wanted {
  readonly key: SessionKey;
  readonly entry: Entry;
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
