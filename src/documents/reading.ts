/**
 * Reads a text through once to cut it into chunks: finds the places where it may
 * be cut, and about how many tokens stand before each.
 *
 * Plain ASCII is read character by character and nothing is made of it but
 * numbers; what is beyond goes by Unicode's classes.
 */
import type { Slices } from '../slices.ts';
import { type Chunk, Cutter, IN_WORD, PARAGRAPH, SENTENCE, WORD } from './chunks.ts';
import { finish, hashOf, mix, START } from './hash.ts';
import type { KnownTokens } from './known_tokens.ts';

/** What is counted at a time, and the longest stretch without a place to cut at is some of these; in characters. */
const LONGEST_PART = 24;
/** Read before others are looked after, in characters. */
const AT_ONCE = 4096;

/** The chunks of a text, in order; a text of blanks is one. Gives way to others meanwhile. */
export async function chunksOf(text: string, tokens: KnownTokens, slices: Slices): Promise<Chunk[]> {
  const cutter = new Cutter();
  const reading = new Reading(text, tokens, cutter);
  for (let to = AT_ONCE; !reading.on(to); to += AT_ONCE) {
    const due = slices.whenDue();
    if (due) await due;
  }
  cutter.end(text.length);
  reading.close();
  return cutter.chunks;
}

class Reading {
  readonly #text: string;
  /** The same by its codes, which are quicker to look at. */
  readonly #codes: Uint16Array;
  readonly #length: number;
  readonly #known: KnownTokens;
  readonly #cutter: Cutter;
  #at = 0;
  #tokens = 0;
  /** 1 when what comes next is counted with the blank before it. */
  #blank = 0;
  /** Whether what came last ends a sentence. */
  #sentence = false;
  /** Ends of lines since anything else but blanks. */
  #lines = 0;
  #lastPlace = -1;

  constructor(text: string, known: KnownTokens, cutter: Cutter) {
    this.#text = text;
    this.#codes = codesOf(text);
    this.#length = text.length;
    this.#known = known;
    this.#cutter = cutter;
    this.#place(0, PARAGRAPH);
  }

  /** Reads on, to some place about as far as told; whether that is the end. */
  on(to: number): boolean {
    const length = this.#length;
    for (const until = Math.min(to, length); this.#at < until; ) {
      const kind = kindOf(this.#codes[this.#at]!);
      if (kind === LETTER) this.#readWords(until);
      else if (kind === BLANK) this.#readBlanks();
      else if (kind === SIGN) this.#readSigns();
      else if (kind === DIGIT) this.#readDigits();
      else this.#readBeyond();
    }
    if (this.#at < length) return false;
    this.#place(length, PARAGRAPH);
    return true;
  }

  /** Lends its memory to the next. */
  close(): void {
    if (this.#codes.length <= MOST_SPARE) spare = this.#codes;
  }

  /** Plain words with a blank between them, which most of a text is. */
  #readWords(until: number): void {
    const codes = this.#codes;
    for (let from = this.#at; ; ) {
      const most = Math.min(this.#length, from + LONGEST_PART);
      let at = from;
      let hash = this.#blank === 1 ? AFTER_BLANK : START;
      let code = 0;
      for (; at < most; at++) {
        code = codes[at]!;
        if (!isLetter(code)) break;
        hash = mix(hash, code);
      }
      this.#tokens += this.#known.of(finish(hash), this.#text, from - this.#blank, at);
      from = at + 1;
      if (code !== SPACE || from >= until || !isLetter(codes[from]!)) {
        this.#passed(at, 0, false);
        return;
      }
      this.#blank = 1;
      this.#place(from, WORD);
    }
  }

  #readSigns(): void {
    const codes = this.#codes;
    const from = this.#at;
    const most = Math.min(this.#length, from + LONGEST_PART);
    let hash = this.#blank === 1 ? AFTER_BLANK : START;
    let at = from;
    let sentence = this.#sentence;
    for (; at < most; at++) {
      const code = codes[at]!;
      if (kindOf(code) !== SIGN) break;
      hash = mix(hash, code);
      if (CLOSING[code] === 0) sentence = code === STOP || code === EXCLAMATION || code === QUESTION;
    }
    this.#passed(at, this.#known.of(finish(hash), this.#text, from - this.#blank, at), sentence);
  }

  /** Digits by threes, each a token, and one for a blank before them. */
  #readDigits(): void {
    const most = Math.min(this.#length, this.#at + 3);
    let at = this.#at + 1;
    while (at < most && kindOf(this.#codes[at]!) === DIGIT) at++;
    this.#passed(at, 1 + this.#blank, false);
  }

  #readBlanks(): void {
    const codes = this.#codes;
    const most = Math.min(this.#length, this.#at + LONGEST_PART);
    let at = this.#at;
    let line = 0;
    for (; at < most; at++) {
      const code = codes[at]!;
      if (kindOf(code) !== BLANK) break;
      if (code !== NEW_LINE) continue;
      line = at + 1;
      this.#lines++;
    }
    this.#passedBlanks(at, line);
  }

  /** Letters, digits, signs or blanks of any script. */
  #readBeyond(): void {
    PARTS.lastIndex = this.#at - this.#blank;
    const { 0: part, index, groups } = PARTS.exec(this.#text)!;
    const end = index + part.length;
    if (groups!.blanks === undefined) {
      const sentence = ENDS_SENTENCE.test(part) || (this.#sentence && CLOSES.test(part));
      this.#passed(end, this.#known.of(hashOf(part), this.#text, index, end), sentence);
      if (groups!.stop !== undefined) this.#place(end, SENTENCE);
    } else if (end === this.#at) {
      this.#passed(end, 1, false); // the blank before goes with nothing of what comes
    } else {
      const lines = part.split('\n').length - 1;
      this.#lines += lines;
      this.#passedBlanks(end, lines > 0 ? index + part.lastIndexOf('\n') + 1 : 0);
    }
  }

  /** `line`: where the last of the lines begins that the blanks go over; 0: they go over none. */
  #passedBlanks(to: number, line: number): void {
    const from = this.#at;
    const joined = to - from === 1 && this.#codes[from] === SPACE;
    if (!joined) this.#tokens += this.#known.of(hashOf(this.#text.slice(from, to)), this.#text, from, to);
    this.#blank = joined ? 1 : 0;
    if (line > 0) this.#place(line, this.#lines > 1 ? PARAGRAPH : SENTENCE);
    else this.#place(to, this.#sentence ? SENTENCE : WORD);
    this.#at = to;
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
    this.#cutter.mayCut(at, rank, this.#tokens);
  }
}

/** Whether it is a plain one: quicker than {@link kindOf}. */
function isLetter(code: number): boolean {
  return ((code | LOWER_CASE) - SMALL_A) >>> 0 < 26;
}

/** What is used again for codes: memory of its own for each text would have to be found and given back. */
let spare: Uint16Array | undefined;
const MOST_SPARE = 64 * 1024;

/** The codes of a text, from the beginning of what is returned on. */
function codesOf(text: string): Uint16Array {
  const codes =
    spare && spare.length >= text.length ? spare : new Uint16Array(Math.max(text.length, 16 * 1024));
  if (codes === spare) spare = undefined; // until it is read
  Buffer.from(codes.buffer).write(text, 'utf16le');
  return codes;
}

const [BEYOND, LETTER, DIGIT, SIGN, BLANK] = [0, 1, 2, 3, 4] as const;
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  return /[A-Za-z]/.test(char) ? LETTER : /[0-9]/.test(char) ? DIGIT : /\s/.test(char) ? BLANK : SIGN;
});

function kindOf(code: number): number {
  return code < KINDS.length ? KINDS[code]! : BEYOND;
}

const [NEW_LINE, SPACE, EXCLAMATION, STOP, QUESTION] = [0x0a, 0x20, 0x21, 0x2e, 0x3f] as const;
/** Signs that still belong to a sentence that has ended. */
const CLOSING = Uint8Array.from({ length: 128 }, (_, code) =>
  `"')]`.includes(String.fromCharCode(code)) ? 1 : 0,
);
/** Makes a small letter of a large one. */
const LOWER_CASE = 0x20;
const SMALL_A = 0x61;
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
