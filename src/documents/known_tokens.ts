/**
 * The tokens of words and signs: texts say the same ones again and again, and what one takes is known from the last
 * time. Word by word is a tenth of the time that counting exactly takes, and a few tokens in a hundred beside it.
 */
import type { Tokenizer } from '../tokens/tokenizer.ts';

/** Room for some ten thousand words, a power of two. */
const PLACES = 1 << 16;
/** The places that a word may be at, from where its hash says. */
const TRIED = 4;
/** The bits that tokens take behind as many of a hash as there is room for; the place knows the others. */
const TOKEN_BITS = 8;

export class KnownTokens {
  readonly #tokenizer: Tokenizer;
  /** A hash and its tokens; 0: nothing is known here. */
  readonly #known = new Uint32Array(PLACES);

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Of a short stretch of a text; `hash` is its hash. */
  of(hash: number, text: string, from: number, to: number): number {
    const wanted = hash >>> (TOKEN_BITS - 1);
    for (let tried = 0; tried < TRIED; tried++) {
      const place = (hash + tried) & (PLACES - 1);
      const known = this.#known[place]!;
      if (known === 0) return this.#count(place, wanted, text.slice(from, to));
      if (known >>> TOKEN_BITS === wanted) return known & ((1 << TOKEN_BITS) - 1);
    }
    return this.#count(hash & (PLACES - 1), wanted, text.slice(from, to));
  }

  #count(place: number, wanted: number, part: string): number {
    const tokens = this.#tokenizer.count(part);
    this.#known[place] = (wanted << TOKEN_BITS) | tokens;
    return tokens;
  }
}
