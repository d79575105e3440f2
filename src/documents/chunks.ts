/**
 * Cuts a document into chunks that a search can give back and a model can read:
 * of about as many tokens, and overlapping, so that what stands at a cut stands
 * whole in one of them. Cuts are made where a paragraph ends if one ends near,
 * else a sentence, else a word.
 */

/** The most tokens of a chunk. */
const CHUNK_TOKENS = 400;
/** The most tokens two neighbours share. */
const OVERLAP_TOKENS = 60;
/** From so many tokens on the end of a paragraph is near enough. */
const NEARLY_FULL = 300;
/** Before so many tokens of a chunk it does not end, and the next one does not begin: no place there is remembered. */
const LEAST_TOKENS = NEARLY_FULL - OVERLAP_TOKENS;

/** How good a place is to cut at: in a word, behind a word, a sentence, a paragraph. */
export const [IN_WORD, WORD, SENTENCE, PARAGRAPH] = [0, 1, 2, 3] as const;

/** A stretch of a text. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
}

/** Makes the chunks of a text while that is read: it is told of the places where it may cut, from the first to the last. */
export class Cutter {
  readonly chunks: Chunk[] = [];
  /** The places that are of interest, how good they are, and about how many tokens stand before each. */
  readonly #places: number[] = [];
  readonly #ranks: number[] = [];
  readonly #tokensBefore: number[] = [];
  /** Where the next chunk begins, by number. */
  #first = 0;
  /** From so many tokens on places are of interest. */
  #wanted = 0;

  /** The text may be cut at `place`. */
  mayCut(place: number, rank: number, tokensBefore: number): void {
    if (tokensBefore < this.#wanted) return;
    const last = this.#places.push(place) - 1;
    this.#ranks.push(rank);
    this.#tokensBefore.push(tokensBefore);
    if (last === 0) this.#beginAt(0);
    // A stretch without places inside may have too many tokens, and stays whole.
    const tokens = tokensBefore - this.#tokensBefore[this.#first]!;
    if (tokens > CHUNK_TOKENS && last - this.#first > 1) this.#cut(last - 1);
  }

  /** There are no more places: what is left is the last chunk. */
  end(length: number): void {
    this.chunks.push({ from: this.#places[this.#first]!, to: length });
  }

  /** `most`: the last place that the chunk can reach. */
  #cut(most: number): void {
    const end = this.#endOf(most);
    this.chunks.push({ from: this.#places[this.#first]!, to: this.#places[end]! });
    this.#beginAt(this.#overlapBefore(end));
  }

  #beginAt(first: number): void {
    this.#first = first;
    this.#wanted = this.#tokensBefore[first]! + LEAST_TOKENS;
  }

  /** Of the places that are near enough the best, and of those the last. */
  #endOf(most: number): number {
    let best = most;
    const full = this.#tokensBefore[this.#first]! + NEARLY_FULL;
    for (let at = most; at > this.#first && this.#tokensBefore[at]! >= full; at--) {
      if (this.#ranks[at]! > this.#ranks[best]!) best = at;
    }
    return best;
  }

  /**
   * Where the chunk behind `end` begins: as far before as an overlap goes, with a sentence if one begins there, and
   * always further on than the last.
   */
  #overlapBefore(end: number): number {
    let best = end;
    let rank = 0;
    const furthest = this.#tokensBefore[end]! - OVERLAP_TOKENS;
    for (let at = end - 1; at > this.#first && this.#tokensBefore[at]! >= furthest; at--) {
      if (Math.min(this.#ranks[at]!, SENTENCE) < rank) continue;
      rank = Math.min(this.#ranks[at]!, SENTENCE);
      best = at;
    }
    return best;
  }
}
