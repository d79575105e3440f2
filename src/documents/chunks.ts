/**
 * Cuts a document into chunks that a search can give back and a model can read:
 * of about as many tokens, and overlapping, so that what stands at a cut stands
 * whole in one of them. Cuts are made where a paragraph ends if one ends near,
 * else a sentence, else a word.
 */
import { type Reading, SENTENCE } from './reading.ts';

/** The most tokens of a chunk. */
const CHUNK_TOKENS = 400;
/** The most tokens two neighbours share. */
const OVERLAP_TOKENS = 60;
/** From so many tokens on the end of a paragraph is near enough. */
const NEARLY_FULL = 300;

/** A stretch of a text, and the numbers of its words. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly firstWord: number;
  /** The one behind its last. */
  readonly endWord: number;
}

/** The chunks of a text, in order; a text of blanks is one. */
export function chunksOf(reading: Reading): Chunk[] {
  const places = reading.places.items;
  const wordsBefore = reading.wordsBefore.items;
  const chunks: Chunk[] = [];
  for (let first = 0; ; ) {
    const next = endOf(reading, first);
    const [from, to] = [places[first]!, places[next]!];
    chunks.push({ from, to, firstWord: wordsBefore[first]!, endWord: wordsBefore[next]! });
    if (next === places.length - 1) return chunks;
    first = overlapBefore(reading, first, next);
  }
}

/** The place where the chunk ends that begins at `first`. */
function endOf(reading: Reading, first: number): number {
  const tokensBefore = reading.tokensBefore.items;
  const ranks = reading.ranks.items;
  const begin = tokensBefore[first]!;
  let next = first + 1;
  while (next + 1 < ranks.length && tokensBefore[next + 1]! - begin <= CHUNK_TOKENS) next++;
  if (next === ranks.length - 1) return next;
  let best = next;
  for (let at = next; at > first && tokensBefore[at]! - begin >= NEARLY_FULL; at--) {
    if (ranks[at]! > ranks[best]!) best = at;
  }
  return best;
}

/**
 * Where the chunk behind `next` begins: as far before as an overlap goes, with a sentence if one begins there, and
 * always further on than the last.
 */
function overlapBefore(reading: Reading, first: number, next: number): number {
  const tokensBefore = reading.tokensBefore.items;
  const ranks = reading.ranks.items;
  let best = next;
  let rank = 0;
  for (let at = next - 1; at > first && tokensBefore[next]! - tokensBefore[at]! <= OVERLAP_TOKENS; at--) {
    if (Math.min(ranks[at]!, SENTENCE) < rank) continue;
    rank = Math.min(ranks[at]!, SENTENCE);
    best = at;
  }
  return best;
}
