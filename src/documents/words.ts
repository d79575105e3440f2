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
 *
 * What goes on with a word is its hash alone. Plain words, which are most, are
 * hashed where they stand: of a document there are thousands.
 */
import { finish, hashOf, mix, START } from './hash.ts';

/**
 * The hash of a word, 31 bits of it: of ten words that are looked for, one is taken for another among a hundred
 * thousand, which is many for a session, in two searches of a thousand that find nothing better.
 */
export type Word = number;

/** A word where it stands in a text. */
export interface Occurrence {
  readonly word: Word;
  readonly from: number;
  readonly to: number;
}

type Visit = (word: Word, from: number, to: number) => void;

/** The most different words of one search. */
const MAX_SEARCHED = 64;

/** Every word of a text, in order. */
export function occurrences(text: string): Occurrence[] {
  const found: Occurrence[] = [];
  eachWord(text, (word, from, to) => found.push({ word, from, to }));
  return found;
}

/** The words of a text, as often as they stand there. */
export function wordsOf(text: string): Word[] {
  const found: Word[] = [];
  eachWord(text, (word) => found.push(word));
  return found;
}

/** The different words to search for: not those that every text has, unless there are no others. */
export function searchedWords(text: string): Word[] {
  const found = occurrences(text);
  const telling = found.filter(({ from, to }) => !COMMON.has(text.slice(from, to).toLowerCase()));
  const words = new Set((telling.length > 0 ? telling : found).map(({ word }) => word));
  return [...words].slice(0, MAX_SEARCHED);
}

function eachWord(text: string, visit: Visit): void {
  for (let at = 0; at < text.length; ) {
    const from = at;
    at = endOfPlain(text, from);
    if (at < text.length && text.charCodeAt(at) >= PLAIN_CODES) {
      const run = runFrom(text, from);
      if (!run) return;
      eachWordOf(run.text, run.from, visit);
      at = run.from + run.text.length;
    } else if (at > from) visit(plainWord(text, from, at), from, at);
    else at++;
  }
}

const PLAIN_CODES = 128;
/** Plain letters and digits without their case; 0 for all else. */
const PLAIN = Uint8Array.from({ length: PLAIN_CODES }, (_, code) => {
  const char = String.fromCharCode(code);
  return /[A-Za-z0-9]/.test(char) ? char.toLowerCase().charCodeAt(0) : 0;
});
const codeOf = (letter: string) => letter.charCodeAt(0);
const [A, E, I, S, U, Y] = [codeOf('a'), codeOf('e'), codeOf('i'), codeOf('s'), codeOf('u'), codeOf('y')];

/** Where the plain letters and digits end that begin at `from`. */
function endOfPlain(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= PLAIN_CODES || PLAIN[code] === 0) break;
  }
  return at;
}

/** The word that plain letters and digits make, in the singular: {@link finish} of each {@link mix}ed without its case. */
function plainWord(text: string, from: number, to: number): Word {
  const letter = (fromEnd: number) => PLAIN[text.charCodeAt(to - fromEnd)]!;
  let end = to;
  let ending: number | undefined;
  if (to - from >= 4 && letter(1) === S && letter(2) !== U && letter(2) !== S) {
    const ies = letter(2) === E && letter(3) === I;
    if (!ies) end = to - 1;
    else if (letter(4) !== A && letter(4) !== E) [end, ending] = [to - 3, Y];
  }
  let hash = START;
  for (let at = from; at < end; at++) hash = mix(hash, PLAIN[text.charCodeAt(at)]!);
  return finish(ending === undefined ? hash : mix(hash, ending));
}

const RUN = /[\p{L}\p{N}\p{M}]+|\p{Extended_Pictographic}/gu;

/** Letters and digits of any script that stand together: the next at or behind `from`. */
function runFrom(text: string, from: number): { readonly text: string; readonly from: number } | undefined {
  RUN.lastIndex = from;
  const run = RUN.exec(text);
  return run ? { text: run[0], from: run.index } : undefined;
}

/** The words of a run, which begins at `from`, in the order of their ends. */
function eachWordOf(run: string, from: number, visit: Visit): void {
  if (UNSPACED.test(run)) eachUnspaced(run, from, visit);
  else visit(wordOf(run), from, from + run.length);
}

const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]/u;
/** Runs of one kind: written with blanks between words, or without. */
const PARTS = new RegExp(`${UNSPACED.source}[${UNSPACED.source.slice(1, -1)}\\p{M}ー]*|[^]`, 'gu');

/** The words of a run that begins at `at`, some of it written without blanks. */
function eachUnspaced(run: string, at: number, visit: Visit): void {
  let spaced = '';
  const flush = (end: number) => {
    if (spaced) visit(wordOf(spaced), end - spaced.length, end);
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
      visit(wordOf(character), start, end);
      if (before) visit(wordOf(before + character), start - before.length, end);
      before = character;
      start = end;
    }
  }
  flush(at + run.length);
}

/** Texts say the same words again and again. */
const known = new Map<string, Word>();
const MOST_KNOWN = 50_000;
/** What is longer is seldom said again. */
const LONGEST_KNOWN = 24;

/** The word that letters of any script make. */
function wordOf(run: string): Word {
  const before = known.get(run);
  if (before !== undefined) return before;
  const folded = run.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const plain = folded !== '' && endOfPlain(folded, 0) === folded.length;
  const word = plain ? plainWord(folded, 0, folded.length) : hashOf(folded || run);
  if (known.size >= MOST_KNOWN) known.clear();
  if (run.length <= LONGEST_KNOWN) known.set(copyOf(run), word);
  return word;
}

/** For V8 a slice of a text is a view into it, which would keep all of the text alive. */
function copyOf(word: string): string {
  return [...word].join('');
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
