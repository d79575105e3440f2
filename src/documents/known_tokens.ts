/**
 * Counts the tokens of short stretches of texts, nearly: words and signs are said again and again, and what one takes
 * is known from the last time. That is a tenth of the time that counting exactly takes, and a few tokens in a hundred
 * beside it.
 */
import type { Tokenizer } from '../tokens/tokenizer.ts';
import { finish, mix, START } from './hash.ts';

/** Room for some ten thousand words, a power of two. */
const PLACES = 1 << 16;
/** The places that a word may be at, from where its hash says. */
const TRIED = 4;
/** What tokens take, behind the 24 bits of a hash that there is room for; where they are tells of the others. */
const TOKEN_BITS = 8;
const TOKENS = (1 << TOKEN_BITS) - 1;
const PLACED_BITS = 31 - 24;

/**
 * What is counted at a time, as encodings do: letters with a blank or a sign before them, signs with a blank before
 * them, digits by threes, blanks.
 */
const LONGEST_RUN = 24;
const LONGEST_NUMBER = 3;

export class KnownTokens {
  readonly #tokenizer: Tokenizer;
  /** A hash and its tokens; 0: nothing is known here. */
  readonly #known = new Uint32Array(PLACES);

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** ASCII run by run; what has anything else exactly. */
  count(text: string, from: number, to: number): number {
    let tokens = 0;
    for (let begin = from; begin < to; ) {
      let at = begin;
      let hash = START;
      const first = text.charCodeAt(at);
      let kind = kindOf(first);
      if (kind === BEYOND) return this.#tokenizer.count(text.slice(from, to));
      const next = kindOf(text.charCodeAt(at + 1));
      if (first === SPACE ? next === LETTER || next === SIGN : kind === SIGN && next === LETTER) {
        hash = mix(hash, first);
        kind = next;
        at++;
      }
      const most = Math.min(to, at + (kind === DIGIT ? LONGEST_NUMBER : LONGEST_RUN));
      for (; at < most; at++) {
        const code = text.charCodeAt(at);
        if (kindOf(code) !== kind) break;
        hash = mix(hash, code);
      }
      tokens += this.#of(finish(hash), text, begin, at);
      begin = at;
    }
    return tokens;
  }

  #of(hash: number, text: string, from: number, to: number): number {
    for (let tried = 0; tried < TRIED; tried++) {
      const place = (hash + tried) & (PLACES - 1);
      const known = this.#known[place]!;
      if (known === 0) return this.#learn(place, hash, text.slice(from, to));
      if (known >>> TOKEN_BITS === hash >>> PLACED_BITS) return known & TOKENS;
    }
    return this.#learn(hash & (PLACES - 1), hash, text.slice(from, to));
  }

  #learn(place: number, hash: number, part: string): number {
    const tokens = this.#tokenizer.count(part);
    this.#known[place] = ((hash >>> PLACED_BITS) << TOKEN_BITS) | tokens;
    return tokens;
  }
}

const SPACE = 0x20;
const [BEYOND, LETTER, DIGIT, SIGN, BLANK] = [0, 1, 2, 3, 4] as const;
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  return /[A-Za-z]/.test(char) ? LETTER : /[0-9]/.test(char) ? DIGIT : /\s/.test(char) ? BLANK : SIGN;
});

/** Of what is beyond ASCII, or behind the end, there is nothing to be said. */
function kindOf(code: number): number {
  return code < KINDS.length ? KINDS[code]! : BEYOND;
}
