/**
 * About how many tokens stand before each place of a text. Counting them all would
 * be most of what storing a document costs; here a sample of each stretch is
 * counted, and stands for the rest of it.
 */
import type { Slices } from '../slices.ts';
import { cutRank, WORD } from './cuts.ts';
import type { KnownTokens } from './known_tokens.ts';

/** What is taken to be alike, a paragraph or so, and what is counted of it, in characters. */
const STRETCH = 512;
const SAMPLE = 128;
/** A sample begins and ends with a word, if there is one so near. */
const NEAR = 24;
/** Not even blanks are so few tokens that a chunk of them has no end. */
const LEAST_PER_CHARACTER = 1 / 16;

/** Counts samples of a text, giving way to others meanwhile. */
export async function tokenScale(text: string, tokens: KnownTokens, slices: Slices): Promise<TokenScale> {
  const perCharacter: number[] = [];
  for (let from = 0; from < text.length; from += STRETCH) {
    const [begin, end] = sampleOf(text, from);
    perCharacter.push(Math.max(LEAST_PER_CHARACTER, tokens.count(text, begin, end) / (end - begin)));
    const due = slices.whenDue();
    if (due) await due;
  }
  return new TokenScale(perCharacter);
}

export class TokenScale {
  readonly #perCharacter: readonly number[];

  /** `perCharacter`: the tokens of a character, of each stretch. */
  constructor(perCharacter: readonly number[]) {
    this.#perCharacter = perCharacter;
  }

  /** The place so many tokens further on; beyond the end of the text if that comes first. */
  ahead(from: number, tokens: number): number {
    let at = from;
    for (let left = tokens; ; ) {
      const stretch = Math.floor(at / STRETCH);
      const perCharacter = this.#perCharacter[stretch];
      if (perCharacter === undefined) return at;
      const end = (stretch + 1) * STRETCH;
      const inStretch = (end - at) * perCharacter;
      if (left < inStretch) return Math.floor(at + left / perCharacter);
      left -= inStretch;
      at = end;
    }
  }

  /** The place so many tokens before; the beginning of the text if that comes first. */
  behind(to: number, tokens: number): number {
    let at = to;
    for (let left = tokens; at > 0; ) {
      const stretch = Math.ceil(at / STRETCH) - 1;
      const perCharacter = this.#perCharacter[stretch]!;
      const begin = stretch * STRETCH;
      const inStretch = (at - begin) * perCharacter;
      if (left < inStretch) return Math.ceil(at - left / perCharacter);
      left -= inStretch;
      at = begin;
    }
    return 0;
  }
}

/** Out of the middle of the stretch that begins at `from`. */
function sampleOf(text: string, from: number): [begin: number, end: number] {
  const length = Math.min(STRETCH, text.length - from);
  if (length <= SAMPLE) return [from, from + length];
  const begin = from + Math.floor((length - SAMPLE) / 2);
  return [wordNear(text, begin), wordNear(text, begin + SAMPLE)];
}

/** Where a word begins; `from` itself when none does so near. */
function wordNear(text: string, from: number): number {
  for (let at = from; at < from + NEAR; at++) if (cutRank(text, at) >= WORD) return at;
  return from;
}
