/**
 * Reads a text through once: what words it has, and where it may be cut into
 * chunks, with about how many tokens stand before each such place.
 *
 * Plain ASCII is read character by character and nothing is made of it but
 * numbers; what is beyond goes by Unicode's classes. Both come to the same words,
 * as a search for them does (`words.ts`).
 */
import type { Slices } from '../slices.ts';
import { finish, hashOf, mix, START } from './hash.ts';
import { IntList } from './int_list.ts';
import type { KnownTokens } from './known_tokens.ts';
import { eachWordOf, endOfPlain, plainWord, runFrom } from './words.ts';

/** How good a place is to cut at: in a word, behind a word, a sentence, a paragraph. */
export const [IN_WORD, WORD, SENTENCE, PARAGRAPH] = [0, 1, 2, 3] as const;

/** What is counted at a time, and the longest stretch without a place to cut at is some of these; in characters. */
const LONGEST_PART = 24;
/** Read before others are looked after, in characters. */
const AT_ONCE = 4096;

/** Reads a text, giving way to others. */
export async function read(text: string, tokens: KnownTokens, slices: Slices): Promise<Reading> {
  const reading = new Reading(text, tokens);
  for (let to = AT_ONCE; !reading.on(to); to += AT_ONCE) {
    const due = slices.whenDue();
    if (due) await due;
  }
  return reading;
}

export class Reading {
  /** The words, in the order of their ends. */
  readonly words: IntList;
  /** The places to cut at, from the beginning to the end: where, and how good. */
  readonly places: IntList;
  readonly ranks: IntList;
  /** Before each place: about how many tokens, and how many of the words. */
  readonly tokensBefore: IntList;
  readonly wordsBefore: IntList;

  readonly #text: string;
  readonly #known: KnownTokens;
  #at = 0;
  #tokens = 0;
  /** 1 when what comes next is counted with the blank before it. */
  #blank = 0;
  /** Whether what came last ends a sentence. */
  #sentence = false;
  /** Ends of lines since anything else but blanks. */
  #lines = 0;

  #lastPlace = -1;

  constructor(text: string, known: KnownTokens) {
    this.#text = text;
    this.#known = known;
    const room = 16 + (text.length >> 2);
    this.words = new IntList(room);
    this.places = new IntList(room);
    this.ranks = new IntList(room);
    this.tokensBefore = new IntList(room);
    this.wordsBefore = new IntList(room);
    this.#place(0, PARAGRAPH);
  }

  /** Reads on, to some place about as far as told; whether that is the end. */
  on(to: number): boolean {
    const { length } = this.#text;
    for (const until = Math.min(to, length); this.#at < until; ) {
      const code = this.#text.charCodeAt(this.#at);
      const kind = kindOf(code);
      if (kind === LETTER) this.#readWord();
      else if (kind === DIGIT) this.#readMixed();
      else if (kind === BLANK) this.#readBlanks();
      else if (kind === SIGN) this.#readSigns();
      else this.#readBeyond();
    }
    if (this.#at < length) return false;
    this.#place(length, PARAGRAPH);
    return true;
  }

  /** A word of plain letters, which most are, and the blank behind it. */
  #readWord(): void {
    const text = this.#text;
    const from = this.#at;
    const most = Math.min(text.length, from + LONGEST_PART);
    let at = from;
    let word = START;
    let letters = this.#blank === 1 ? AFTER_BLANK : START;
    let kind = LETTER as number;
    let code = 0;
    for (; at < most; at++) {
      code = text.charCodeAt(at);
      kind = kindOf(code);
      if (kind !== LETTER) break;
      word = mix(word, code | LOWER_CASE);
      letters = mix(letters, code);
    }
    if (at < text.length && kind <= DIGIT) {
      this.#readMixed();
      return;
    }
    const plural = (text.charCodeAt(at - 1) | LOWER_CASE) === S;
    this.words.push(plural ? plainWord(text, from, at) : finish(word));
    this.#passed(at, this.#known.of(finish(letters), text, from - this.#blank, at), false);
    if (code === SPACE && at + 1 < text.length && kindOf(text.charCodeAt(at + 1)) !== BLANK) {
      this.#at = at + 1;
      this.#blank = 1;
      this.#place(at + 1, WORD);
    }
  }

  /** A long word, or one with digits or with letters of any script. */
  #readMixed(): void {
    const end = endOfPlain(this.#text, this.#at);
    if (end < this.#text.length && kindOf(this.#text.charCodeAt(end)) === BEYOND) {
      this.#readBeyond();
      return;
    }
    this.words.push(plainWord(this.#text, this.#at, end));
    this.#count(end);
  }

  #readSigns(): void {
    const text = this.#text;
    const from = this.#at;
    const most = Math.min(text.length, from + LONGEST_PART);
    let hash = this.#blank ? AFTER_BLANK : START;
    let at = from;
    let sentence = this.#sentence;
    for (; at < most; at++) {
      const code = text.charCodeAt(at);
      if (kindOf(code) !== SIGN) break;
      hash = mix(hash, code);
      if (CLOSING[code] === 0) sentence = code === STOP || code === EXCLAMATION || code === QUESTION;
    }
    this.#passed(at, this.#known.of(finish(hash), text, from - this.#blank, at), sentence);
  }

  #readBlanks(): void {
    const text = this.#text;
    const from = this.#at;
    const most = Math.min(text.length, from + LONGEST_PART);
    let at = from;
    let line = 0;
    for (; at < most; at++) {
      const code = text.charCodeAt(at);
      if (kindOf(code) !== BLANK) break;
      if (code !== NEW_LINE) continue;
      line = at + 1;
      this.#lines++;
    }
    this.#passedBlanks(at, line);
  }

  #passedBlanks(to: number, line: number): void {
    const from = this.#at;
    const joined = to - from === 1 && this.#text.charCodeAt(from) === SPACE;
    if (!joined) this.#tokens += this.#known.of(hashOf(this.#text.slice(from, to)), this.#text, from, to);
    this.#blank = joined ? 1 : 0;
    if (line > 0) this.#place(line, this.#lines > 1 ? PARAGRAPH : SENTENCE);
    else this.#place(to, this.#sentence ? SENTENCE : WORD);
    this.#at = to;
  }

  /** Letters of any script, and the signs before them if there are. */
  #readBeyond(): void {
    const run = runFrom(this.#text, this.#at);
    if (!run) {
      this.#count(this.#text.length);
      return;
    }
    this.#count(run.from);
    let before = run.from;
    eachWordOf(run.text, run.from, (word, _from, to) => {
      if (to - this.#at > LONGEST_PART) this.#count(before);
      this.words.push(word);
      before = to;
    });
    this.#count(run.from + run.text.length);
  }

  /** Reads on without looking for words. */
  #count(to: number): void {
    while (this.#at < to) {
      PARTS.lastIndex = this.#at - this.#blank;
      const { 0: match, index, groups } = PARTS.exec(this.#text)!;
      const part = match.slice(0, to - index);
      const end = index + part.length;
      if (groups!.blanks !== undefined) {
        const lines = part.split('\n').length - 1;
        this.#lines += lines;
        this.#passedBlanks(end, lines > 0 ? index + part.lastIndexOf('\n') + 1 : 0);
        continue;
      }
      const sentence = ENDS_SENTENCE.test(part) || (this.#sentence && CLOSES.test(part));
      this.#passed(end, this.#known.of(hashOf(part), this.#text, index, end), sentence);
      if (groups!.stop !== undefined) this.#place(end, SENTENCE);
    }
  }

  /** Something else than blanks has been read. */
  #passed(to: number, tokens: number, sentence: boolean): void {
    this.#at = to;
    this.#tokens += tokens;
    this.#blank = 0;
    this.#sentence = sentence;
    this.#lines = 0;
    if (to - this.#lastPlace >= LONGEST_PART) this.#place(to, IN_WORD);
  }

  #place(at: number, rank: number): void {
    if (this.#lastPlace === at) return;
    this.#lastPlace = at;
    this.places.push(at);
    this.ranks.push(rank);
    this.tokensBefore.push(this.#tokens);
    this.wordsBefore.push(this.words.length);
  }
}

const [BEYOND, LETTER, DIGIT, SIGN, BLANK] = [0, 1, 2, 3, 4] as const;
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  return /[A-Za-z]/.test(char) ? LETTER : /[0-9]/.test(char) ? DIGIT : /\s/.test(char) ? BLANK : SIGN;
});

function kindOf(code: number): number {
  return code < KINDS.length ? KINDS[code]! : BEYOND;
}

const [NEW_LINE, SPACE, EXCLAMATION, STOP, QUESTION, S] = [0x0a, 0x20, 0x21, 0x2e, 0x3f, 0x73] as const;
/** Signs that still belong to a sentence that has ended. */
const CLOSING = Uint8Array.from({ length: 128 }, (_, code) =>
  `"')]`.includes(String.fromCharCode(code)) ? 1 : 0,
);
/** Makes a small letter of a large one. */
const LOWER_CASE = 0x20;
const AFTER_BLANK = mix(START, SPACE);

/** About what encodings take at once: a word with the blank before it, three digits, a run of signs or of blanks. */
const PARTS = new RegExp(
  [
    / ?[A-Za-z]{1,24}/,
    /[\p{N}]{1,3}/u,
    /(?<stop>[。！？]["'”’)\]」』]*)/,
    / ?[\p{L}\p{M}]{1,24}/u,
    / ?[^\s\p{L}\p{M}\p{N}。！？]{1,24}/u,
    /(?<blanks>\s{1,24})/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'uy',
);
const ENDS_SENTENCE = /[.!?…。！？]["'”’)\]」』]*$/;
const CLOSES = /^["'”’)\]」』]+$/;
