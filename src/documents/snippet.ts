/** The part of a passage that shows why it was found. */
import { occurrences, type Word } from './words.ts';

/** What people are shown, in characters. */
export const SNIPPET_LENGTH = 300;

/** The stretch with most of the words, from word to word, `…` where the passage goes on; its beginning when it has none. */
export function snippet(text: string, words: ReadonlySet<Word>, length = SNIPPET_LENGTH): string {
  if (text.length <= length) return text.trim();
  const matches = occurrences(text).filter(({ word }) => words.has(word));
  let best = { from: 0, to: 0, different: 0 };
  for (const [index, { from }] of matches.entries()) {
    const inside = matches.slice(index).filter(({ to }) => to - from <= length - MARGIN);
    const different = new Set(inside.map(({ word }) => word)).size;
    if (different > best.different) best = { from, to: inside.at(-1)!.to, different };
  }
  const before = Math.floor((length - (best.to - best.from)) / 2);
  const from = Math.max(0, Math.min(best.from - before, text.length - length));
  return cut(text, from, Math.min(text.length, from + length));
}

/** What is shown on both sides of the words, at least and together. */
const MARGIN = 40;
/** How far a cut is moved so that no word is cut in two. */
const NEAR = 20;

function cut(text: string, from: number, to: number): string {
  const begin = from === 0 ? 0 : from + afterBlank(text.slice(from - 1, from + NEAR)) - 1;
  const near = Math.max(begin, to - NEAR);
  const end = to === text.length ? to : near + beforeBlank(text.slice(near, to + 1));
  const shown = text.slice(whole(text, begin), whole(text, end)).trim();
  return `${from > 0 ? '…' : ''}${shown}${to < text.length ? '…' : ''}`;
}

function afterBlank(text: string): number {
  const blank = /\s+/.exec(text);
  return blank ? blank.index + blank[0].length : 1;
}

function beforeBlank(text: string): number {
  const blank = /\s+\S*$/.exec(text);
  return blank ? blank.index : text.length - 1;
}

/** Not in the middle of a character. */
function whole(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
