/** Finds passages: by words, by meaning, or both. */
import type { SessionKey } from '../sessions/session.ts';
import { bm25, fused, type Ranked, type WordHits } from './ranking.ts';
import type { DocumentStore, Entry, Library, Place, Vector } from './store.ts';
import { hitsOf } from './word_hits.ts';
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

/** All that were found, the best first. */
export async function findPassages(store: DocumentStore, query: PassageQuery): Promise<Passage[]> {
  const { key, library, within, vector, mode } = query;
  const entries = within ?? library.entries;
  const scope = { key, within: within?.map(({ made }) => made) };
  const [words, byMeaning] = await Promise.all([
    mode === 'VECTOR' ? [] : havingWords(store, key, entries, query.text),
    mode === 'TEXT' || !vector ? [] : store.nearest(scope, vector, NEIGHBOURS),
  ]);
  const byMade = new Map(entries.map((entry) => [entry.made, entry]));
  // What is only being stored, or deleted just now, is in the index and not in the library.
  const near = byMeaning.filter(({ chunk, score }) => byMade.has(madeOf(chunk)) && score > 0);
  const order = orderOf(mode, () => bm25(words, corpusOf(entries)), near);
  return order.map((ranked) => ({
    ...ranked,
    entry: byMade.get(madeOf(ranked.chunk))!,
    index: Number(ranked.chunk.slice(ranked.chunk.indexOf('/') + 1)),
  }));
}

async function havingWords(
  store: DocumentStore,
  key: SessionKey,
  entries: readonly Entry[],
  text: string,
): Promise<WordHits[]> {
  const tables = await store.wordTables(key, entries);
  const documents = entries.flatMap(({ made }, at) => {
    const table = tables[at];
    return table ? [{ made, table }] : []; // deleted just now
  });
  return hitsOf(searchedWords(text), documents);
}

function orderOf(mode: SearchMode, byWords: () => Ranked[], near: readonly Ranked[]): readonly Ranked[] {
  if (mode === 'VECTOR') return near;
  return mode === 'TEXT' ? byWords() : fused([byWords(), near]);
}

/** A chunk is known as `made/index`. */
function madeOf(chunk: string): string {
  return chunk.slice(0, chunk.indexOf('/'));
}

function corpusOf(entries: readonly Entry[]) {
  let [chunks, words] = [0, 0];
  for (const entry of entries) {
    chunks += entry.chunkCount;
    words += entry.words;
  }
  return { chunks, words };
}
