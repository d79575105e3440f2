/**
 * The tokens of words and signs: texts say the same ones again and again, and what one takes is known from the last
 * time. Word by word is a tenth of the time that counting exactly takes, and a few tokens in a hundred beside it.
 */
import type { Tokenizer } from '../tokens/tokenizer.ts';

/** Room for some ten thousand words, a power of two. */
const PLACES = 1 << 16;
/** The places that a word may be at, from where its hash says. */
const TRIED = 4;
/** What tokens take, behind the 24 bits of a hash that there is room for; where they are tells of the others. */
const TOKEN_BITS = 8;
const TOKENS = (1 << TOKEN_BITS) - 1;
const PLACED_BITS = 31 - 24;

export class KnownTokens {
  readonly #tokenizer: Tokenizer;
  /** A hash and its tokens; 0: nothing is known here. */
  readonly #known = new Uint32Array(PLACES);

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Of a short stretch of a text; `hash` is its hash. */
  of(hash: number, text: string, from: number, to: number): number {
    const known = this.#known[hash & (PLACES - 1)]!;
    if (known >>> TOKEN_BITS === hash >>> PLACED_BITS && known !== 0) return known & TOKENS;
    return this.#ofNext(hash, text, from, to);
  }

  /** Not at its first place. */
  #ofNext(hash: number, text: string, from: number, to: number): number {
    for (let tried = 0; tried < TRIED; tried++) {
      const place = (hash + tried) & (PLACES - 1);
      const known = this.#known[place]!;
      if (known === 0) return this.#count(place, hash, text.slice(from, to));
      if (known >>> TOKEN_BITS === hash >>> PLACED_BITS) return known & TOKENS;
    }
    return this.#count(hash & (PLACES - 1), hash, text.slice(from, to));
  }

  #count(place: number, hash: number, part: string): number {
    const tokens = this.#tokenizer.count(part);
    this.#known[place] = ((hash >>> PLACED_BITS) << TOKEN_BITS) | tokens;
    return tokens;
  }
}
