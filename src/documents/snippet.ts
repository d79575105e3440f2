/** The part of a passage that shows why it was found. */
import { type Occurrence, occurrences, type Word } from './words.ts';

/** What people are shown, in characters. */
export const SNIPPET_LENGTH = 300;

/** The stretch with most of the words, from word to word, `…` where the passage goes on; its beginning when it has none. */
export function snippet(text: string, words: ReadonlySet<Word>, length = SNIPPET_LENGTH): string {
  if (text.length <= length) return text.trim();
  const matches = occurrences(text).filter(({ word }) => words.has(word));
  const best = richest(matches, length - MARGIN);
  const before = Math.floor((length - (best.to - best.from)) / 2);
  const from = Math.max(0, Math.min(best.from - before, text.length - length));
  return cut(text, from, Math.min(text.length, from + length));
}

/**
 * The first stretch with most different words, of those that begin with a match and are no longer than `length`; empty
 * when there is none. The matches are in the order of their ends. Looks at each a few times, however many there are.
 */
export function richest(
  matches: readonly Occurrence[],
  length: number,
): { readonly from: number; readonly to: number } {
  const inside = new Map<Word, number>();
  const count = (word: Word, by: 1 | -1) => {
    const times = (inside.get(word) ?? 0) + by;
    if (times === 0) inside.delete(word);
    else inside.set(word, times);
  };
  let best = { from: 0, to: 0, different: 0 };
  let end = 0;
  for (const [index, { word, from }] of matches.entries()) {
    // One that begins before the last one (two characters that are a word) cannot have more than that: no end goes back.
    end = Math.max(end, index);
    while (end < matches.length && matches[end]!.to - from <= length) count(matches[end++]!.word, 1);
    if (inside.size > best.different) best = { from, to: matches[end - 1]!.to, different: inside.size };
    if (end > index) count(word, -1);
  }
  return best;
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
