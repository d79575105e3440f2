/** Looks words up in the tables of documents. */
import { Slices } from '../slices.ts';
import type { WordHits } from './ranking.ts';
import type { WordTable } from './word_table.ts';
import type { Word } from './words.ts';

/** The most hits that are ranked for all words together, and for each at least. */
const MOST_HITS = 20_000;
const MOST_HITS_OF_ONE = 500;

/** Shared by all searches. */
const slices = new Slices();

type Hit = WordHits['hits'][number];

/** A document that is searched. */
interface Searched {
  readonly made: string;
  readonly table: WordTable;
}

/** For each word the chunks of these documents that have it. Gives way to others meanwhile. */
export async function hitsOf(words: readonly Word[], documents: readonly Searched[]): Promise<WordHits[]> {
  const most = Math.max(MOST_HITS_OF_ONE, Math.floor(MOST_HITS / Math.max(1, words.length)));
  const found: WordHits[] = [];
  // Word by word: one document may have all the chunks of a session, and of words there are few.
  for (const word of words) {
    const due = slices.whenDue();
    if (due) await due;
    const hits = hitsOfOne(word, documents);
    found.push({ total: hits.length, hits: hits.length > most ? best(hits, most) : hits });
  }
  return found;
}

function hitsOfOne(word: Word, documents: readonly Searched[]): Hit[] {
  const hits: Hit[] = [];
  for (const { made, table } of documents) {
    table.find(word, (chunk, count, length) => {
      hits.push({ chunk: `${made}/${chunk}`, count, length });
    });
  }
  return hits;
}

/** Those that have a word most often. */
function best(hits: readonly Hit[], most: number): Hit[] {
  return hits.toSorted((one, other) => other.count - one.count).slice(0, most);
}
