/** Finds passages: by words, by meaning, or both. */
import type { SessionKey } from '../sessions/session.ts';
import { bm25, fused, type Ranked } from './ranking.ts';
import type { DocumentStore, Entry, Library, Place, Vector } from './store.ts';
import { hitsOf } from './word_hits.ts';
import { WordTables } from './word_tables.ts';
import { searchedWords } from './words.ts';

export type SearchMode = 'TEXT' | 'VECTOR' | 'HYBRID';

/** What to look for, and among which documents of a session. */
export interface PassageQuery {
  readonly key: SessionKey;
  readonly library: Library;
  /** Undefined: in all of them. */
  readonly within: readonly Entry[] | undefined;
  readonly text: string;
  /** Undefined: by words alone. */
  readonly vector: Vector | undefined;
  readonly mode: SearchMode;
}

/** A passage that was found. */
export interface Passage extends Ranked, Place {}

/** How many neighbours are asked for: more than anybody is given, since one document may have many of them. */
const NEIGHBOURS = 500;

export class PassageSearch {
  readonly #store: DocumentStore;
  readonly #tables: WordTables;

  constructor(store: DocumentStore) {
    this.#store = store;
    this.#tables = new WordTables(store);
  }

  /** All that are found, the best first. */
  async find({ key, library, within, text, vector, mode }: PassageQuery): Promise<Passage[]> {
    const entries = within ?? library.entries;
    const scope = { key, within: within?.map(({ made }) => made) };
    const [byWords, byMeaning] = await Promise.all([
      mode === 'VECTOR' ? [] : this.#byWords(key, entries, text),
      mode === 'TEXT' || !vector ? [] : this.#store.nearest(scope, vector, NEIGHBOURS),
    ]);
    const byMade = new Map(entries.map((entry) => [entry.made, entry]));
    // What is only being stored, or deleted just now, is in the index and not in the library.
    const near = byMeaning.filter(({ chunk, score }) => byMade.has(madeOf(chunk)) && score > 0);
    return orderOf(mode, byWords, near).map((ranked) => ({
      ...ranked,
      entry: byMade.get(madeOf(ranked.chunk))!,
      index: Number(ranked.chunk.slice(ranked.chunk.indexOf('/') + 1)),
    }));
  }

  async #byWords(key: SessionKey, entries: readonly Entry[], text: string): Promise<Ranked[]> {
    const tables = await this.#tables.of(key, entries);
    const corpus = { chunks: 0, words: 0 };
    const documents = entries.flatMap(({ made, chunkCount }, at) => {
      const table = tables[at];
      if (!table) return []; // deleted just now
      corpus.chunks += chunkCount;
      corpus.words += table.wordCount;
      return [{ made, table }];
    });
    return bm25(await hitsOf(searchedWords(text), documents), corpus);
  }
}

function orderOf(mode: SearchMode, byWords: readonly Ranked[], near: readonly Ranked[]): readonly Ranked[] {
  if (mode === 'VECTOR') return near;
  return mode === 'TEXT' ? byWords : fused([byWords, near]);
}

/** A chunk is known as `made/index`. */
function madeOf(chunk: string): string {
  return chunk.slice(0, chunk.indexOf('/'));
}
