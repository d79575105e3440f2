/** Gathers which words the chunks of a document have: by words, and of each by chunks. */
import type { Word } from './words.ts';

/** The bits of a {@link Word}. */
const WORD_BITS = 31;

/** All lists are by numbers from 1 on, so that 0 is none. */
export class WordPlaces {
  /** How many different words, and how many places of them: a word in a chunk, however often. */
  words = 0;
  places = 0;
  /** Of each word: itself, and the last of its places. */
  readonly word: Int32Array;
  readonly last: Int32Array;
  /** Of each place: its chunk, how often the word is there, and the place of the word before it. */
  readonly chunk: Int32Array;
  readonly count: Int32Array;
  readonly before: Int32Array;
  /**
   * The numbers of the words, each at the first free slot from where its first bits say: nearly in the order of the
   * words themselves.
   */
  readonly #slots: Int32Array;
  readonly #shift: number;

  /** `most`: words that will be added. */
  constructor(most: number) {
    const bits = 33 - Math.clz32(most + 1);
    this.#slots = new Int32Array(2 ** bits);
    this.#shift = WORD_BITS - bits;
    this.word = new Int32Array(most + 1);
    this.last = new Int32Array(most + 1);
    this.chunk = new Int32Array(most + 1);
    this.count = new Int32Array(most + 1);
    this.before = new Int32Array(most + 1);
  }

  /** Adds words of a chunk, one chunk after the other. */
  add(chunk: number, words: Int32Array): void {
    for (let at = 0; at < words.length; at++) {
      const number = this.#numberOf(words[at]!);
      const last = this.last[number]!;
      if (last !== 0 && this.chunk[last] === chunk) {
        this.count[last]!++;
        continue;
      }
      this.places++;
      this.chunk[this.places] = chunk;
      this.count[this.places] = 1;
      this.before[this.places] = last;
      this.last[number] = this.places;
    }
  }

  /** The numbers of the words, in the order of the words. */
  inOrder(): Int32Array {
    const numbers = new Int32Array(this.words);
    let length = 0;
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const number = this.#slots[slot]!;
      if (number === 0) continue;
      const word = this.word[number]!;
      let at = length++;
      for (; at > 0 && this.word[numbers[at - 1]!]! > word; at--) numbers[at] = numbers[at - 1]!;
      numbers[at] = number;
    }
    return numbers;
  }

  #numberOf(word: Word): number {
    let slot = word >>> this.#shift;
    for (;;) {
      const number = this.#slots[slot]!;
      if (number === 0) break;
      if (this.word[number] === word) return number;
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    this.words++;
    this.word[this.words] = word;
    this.#slots[slot] = this.words;
    return this.words;
  }
}
