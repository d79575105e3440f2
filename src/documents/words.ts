/**
 * The words by which passages are found. Documents and searches are taken apart
 * here, by the same rules, and never by Redis: so nothing a caller writes is ever
 * query syntax, and text without blanks between its words is found as well.
 *
 * A word is a run of letters and digits without its accents and its case, and
 * without the `s` of an English plural (the weakest stemmer there is, D. Harman,
 * "How effective is suffixing?", 1991: it does no harm to other languages).
 * Scripts that are written without blanks give every character, and every two
 * that follow each other. An emoji is a word.
 */
import { words as hashWords, ROOT_A, ROOT_B, stepA, stepB } from '../structs/path_hash.ts';
import { copyOf } from './word_tokens.ts';

/** A word where it stands in a text. */
export interface Occurrence {
  /** The index's word: plain letters and digits, whatever the language. */
  readonly word: string;
  readonly from: number;
  readonly to: number;
}

/** The most different words of one search. */
const MAX_SEARCHED = 64;

const RUN = /[\p{L}\p{N}\p{M}]+|\p{Extended_Pictographic}/gu;
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/u;
/** Runs of one kind: written with blanks between words, or without. */
const PARTS = new RegExp(`${UNSPACED.source}[${UNSPACED.source.slice(1, -1)}\\p{M}ー]*|[^]`, 'gu');

/** Every word of a text, in order. */
export function occurrences(text: string): Occurrence[] {
  const found: Occurrence[] = [];
  for (const match of text.matchAll(RUN)) {
    const run = match[0];
    if (isSpaced(run)) found.push({ word: indexWord(run), from: match.index, to: match.index + run.length });
    else found.push(...unspaced(run, match.index));
  }
  return found;
}

/** The words of a text, as often as they stand there. */
export function wordsOf(text: string): string[] {
  const found: string[] = [];
  for (const run of text.match(RUN) ?? []) {
    if (isSpaced(run)) found.push(indexWord(run));
    else found.push(...unspaced(run, 0).map(({ word }) => word));
  }
  return found;
}

/** The different words to search for: not those that every text has, unless there are no others. */
export function searchedWords(text: string): string[] {
  const found = occurrences(text);
  const telling = found.filter(({ from, to }) => !COMMON.has(text.slice(from, to).toLowerCase()));
  const words = new Set((telling.length > 0 ? telling : found).map(({ word }) => word));
  return [...words].slice(0, MAX_SEARCHED);
}

const ASCII = /^[A-Za-z0-9]+$/;

function isSpaced(run: string): boolean {
  return ASCII.test(run) || !UNSPACED.test(run);
}

/** The words of a run that begins at `at`. */
function unspaced(run: string, at: number): Occurrence[] {
  const found: Occurrence[] = [];
  let spaced = '';
  const flush = (end: number) => {
    if (spaced) found.push({ word: indexWord(spaced), from: end - spaced.length, to: end });
    spaced = '';
  };
  for (const { 0: part, index } of run.matchAll(PARTS)) {
    const from = at + index;
    if (!UNSPACED.test(part)) {
      spaced += part;
      continue;
    }
    flush(from);
    let before = '';
    let start = from;
    for (const character of part) {
      const end = start + character.length;
      found.push({ word: indexWord(character), from: start, to: end });
      if (before) found.push({ word: indexWord(before + character), from: start - before.length, to: end });
      before = character;
      start = end;
    }
  }
  flush(at + run.length);
  return found;
}

/** Texts say the same words again and again. */
const known = new Map<string, string>();
const MOST_KNOWN = 50_000;
/** What is longer is seldom said again. */
const LONGEST_KNOWN = 24;

/** Of plain words the word itself, behind a letter that keeps it from being a number; of others a hash. */
function indexWord(run: string): string {
  const before = known.get(run);
  if (before !== undefined) return before;
  const folded = run.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const word = PLAIN.test(folded) ? `w${singular(folded)}` : `x${hashOf(folded || run)}`;
  if (known.size >= MOST_KNOWN) known.clear();
  if (run.length <= LONGEST_KNOWN) known.set(copyOf(run), word);
  return word;
}

function hashOf(text: string): string {
  return hashWords([stepA(ROOT_A, 'string', text), stepB(ROOT_B, 'string', text)])[0]!;
}

const PLAIN = /^[a-z0-9]{1,30}$/;

function singular(word: string): string {
  if (word.length < 4 || !word.endsWith('s') || /(?:us|ss)$/.test(word)) return word;
  if (word.endsWith('ies')) return /[ae]ies$/.test(word) ? word : `${word.slice(0, -3)}y`;
  return word.slice(0, -1);
}

/** What a question is put together with, in English. */
const COMMON: ReadonlySet<string> = new Set(
  (
    'a about after all also am an and any are as at be because been before being but by can could did do does doing ' +
    'for from had has have having he her here hers him his how i if in into is it its just me more most my no nor not ' +
    'of off on once only or other our out over own s same she should so some such t than that the their them then ' +
    'there these they this those through to too under until up very was we were what when where which while who whom ' +
    'why will with would you your'
  ).split(' '),
);
