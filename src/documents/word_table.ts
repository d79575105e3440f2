/**
 * Which words the chunks of one document have, and how often: what a search by
 * words reads of it. Made when the document is stored, and never changed.
 *
 * As text: how many chunks; of each how many words it has; how many different
 * words; these in order, each as what it is more than the one before; and for
 * each the chunks that have it, from the last to the first. All are numbers, most
 * of one character, a word of four: some two fifths of what the document takes.
 */
import { NumberReader, NumberWriter } from './numbers.ts';
import type { WordPlaces } from './word_places.ts';
import type { Word } from './words.ts';

/** Beside how many chunks further back one is: whether more follow, and whether it has the word several times. */
const SEVERAL = 1;
const MORE = 2;
const FLAGS = 2;

/** About what a table takes beside what its own size tells. */
const OVERHEAD_BYTES = 400;

export class WordTable {
  readonly #text: string;
  /** Of each chunk, how many words it has. */
  readonly #lengths: Uint32Array;
  /** In order. */
  readonly #words: Uint32Array;
  /** Where in the text the chunks are that have each word. */
  readonly #places: Uint32Array;

  /** `text`: of {@link wordTable}. */
  constructor(text: string) {
    const reader = new NumberReader(text);
    this.#text = text;
    this.#lengths = new Uint32Array(reader.read()).map(() => reader.read());
    let word = 0;
    this.#words = new Uint32Array(reader.read()).map(() => (word += reader.read()));
    this.#places = this.#words.map(() => passChunks(reader));
  }

  /** What it takes of memory. */
  get bytes(): number {
    const { length: chunks } = this.#lengths;
    return this.#text.length + 4 * (chunks + 2 * this.#words.length) + OVERHEAD_BYTES;
  }

  /** Tells of each chunk that has the word: its number, how often it has it, and how many words it has at all. */
  find(word: Word, tell: (chunk: number, count: number, length: number) => void): void {
    const index = this.#indexOf(word);
    if (index < 0) return;
    const reader = new NumberReader(this.#text, this.#places[index]);
    for (let chunk = this.#lengths.length, more = true; more; ) {
      const next = reader.read();
      chunk -= next >>> FLAGS;
      more = (next & MORE) !== 0;
      tell(chunk, next & SEVERAL ? reader.read() : 1, this.#lengths[chunk]!);
    }
  }

  /** -1 when no chunk has the word. */
  #indexOf(word: Word): number {
    let [from, to] = [0, this.#words.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#words[middle]! < word) from = middle + 1;
      else to = middle;
    }
    return this.#words[from] === word ? from : -1;
  }
}

/** Passes over the chunks of a word; where they began. */
function passChunks(reader: NumberReader): number {
  const { at } = reader;
  for (let more = true; more; ) {
    const next = reader.read();
    if (next & SEVERAL) reader.read();
    more = (next & MORE) !== 0;
  }
  return at;
}

/** Writes the table of a document. */
export function wordTable(places: WordPlaces, lengths: readonly number[]): string {
  const writer = new NumberWriter(lengths.length + 2 + places.words + 2 * places.places);
  const numbers = places.inOrder();
  writer.write(lengths.length);
  for (const length of lengths) writer.write(length);
  writer.write(numbers.length);
  let last = 0;
  for (let at = 0; at < numbers.length; at++) {
    const word = places.word[numbers[at]!]!;
    writer.write(word - last);
    last = word;
  }
  for (let at = 0; at < numbers.length; at++) writeChunks(writer, places, numbers[at]!, lengths.length);
  return writer.toString();
}

function writeChunks(
  writer: NumberWriter,
  { last, chunk, count, before }: WordPlaces,
  number: number,
  chunks: number,
): void {
  let behind = chunks;
  for (let place = last[number]!; place !== 0; place = before[place]!) {
    const several = count[place]! > 1;
    writer.write(
      ((behind - chunk[place]!) << FLAGS) | (before[place] === 0 ? 0 : MORE) | (several ? SEVERAL : 0),
    );
    if (several) writer.write(count[place]!);
    behind = chunk[place]!;
  }
}
