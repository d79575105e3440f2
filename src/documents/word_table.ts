/** Which words the chunks of one document have, and how often: what a search by words reads of it. */
import type { Slices } from '../slices.ts';
import { type Word, wordsOf } from './words.ts';

/** A word of the title counts as so many of the text. */
const TITLE_WEIGHT = 3;
/** A word counts so often at most: more would change next to nothing. */
const MOST_COUNTED = 255;
/** About what a table takes beside its numbers. */
const OVERHEAD_BYTES = 500;

/** What there is to read of a document. */
export interface DocumentText {
  readonly title: string;
  readonly chunks: readonly string[];
}

export class WordTable {
  /** How many words the chunks have together. */
  readonly wordCount: number;
  /** The different words of each chunk in order, chunk by chunk, and how often each is there. */
  readonly #words: Int32Array;
  readonly #counts: Uint8Array;
  /** Of each chunk, where its words end, and how many it has with all repetitions. */
  readonly #ends: Uint32Array;
  readonly #lengths: Uint32Array;

  /** `chunks`: the words of each, in order, as often as they stand there. */
  constructor(chunks: readonly Int32Array[]) {
    const words: number[] = [];
    const counts: number[] = [];
    const ends: number[] = [];
    for (const chunk of chunks) {
      const begin = words.length;
      for (const word of chunk) {
        const last = words.length - 1;
        if (last < begin || words[last] !== word) counts[words.push(word) - 1] = 1;
        else if (counts[last]! < MOST_COUNTED) counts[last]!++;
      }
      ends.push(words.length);
    }
    this.#words = Int32Array.from(words);
    this.#counts = Uint8Array.from(counts);
    this.#ends = Uint32Array.from(ends);
    this.#lengths = Uint32Array.from(chunks, ({ length }) => length);
    this.wordCount = this.#lengths.reduce((sum, length) => sum + length, 0);
  }

  /** What it takes of memory. */
  get bytes(): number {
    return 5 * this.#words.length + 8 * this.#ends.length + OVERHEAD_BYTES;
  }

  /** Tells of each chunk that has the word: its number, how often it has it, and how many words it has at all. */
  find(word: Word, tell: (chunk: number, count: number, length: number) => void): void {
    let from = 0;
    for (let chunk = 0; chunk < this.#ends.length; chunk++) {
      const end = this.#ends[chunk]!;
      const at = this.#firstFrom(word, from, end);
      if (at < end && this.#words[at] === word) tell(chunk, this.#counts[at]!, this.#lengths[chunk]!);
      from = end;
    }
  }

  /** Where the first word stands that is not less, of those from `from` to `end`. */
  #firstFrom(word: Word, from: number, end: number): number {
    while (from < end) {
      const middle = (from + end) >>> 1;
      if (this.#words[middle]! < word) from = middle + 1;
      else end = middle;
    }
    return from;
  }
}

/** Reads a document; a chunk is under its title, as the others are. Gives way to others meanwhile. */
export async function readWords({ title, chunks }: DocumentText, slices: Slices): Promise<WordTable> {
  const titled = wordsOf(title);
  const common = Array.from({ length: TITLE_WEIGHT }, () => titled).flat();
  const words: Int32Array[] = [];
  for (const chunk of chunks) {
    words.push(Int32Array.from([...common, ...wordsOf(chunk)]).sort());
    const due = slices.whenDue();
    if (due) await due;
  }
  return new WordTable(words);
}
