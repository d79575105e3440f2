/**
 * Counts the tokens of a text by stretches it finds at sight, and remembers what short ones took.
 *
 * Asking an encoding's pattern where the words of a text end costs more than to look up what they take. But in every
 * encoding one ends for certain behind an ASCII letter that neither another letter follows nor an apostrophe, which
 * may belong to it (`don't`). What lies between two such places is a stretch, and the characters of a short one are
 * the very key it is found by, so that none is taken for another.
 */

/** The longest stretch that is remembered, in characters of a byte each. */
const KEY_LENGTH = 16;
/** How many stretches are remembered, as a power of two: a third of a megabyte. */
const PLACES_BITS = 14;
/** What a place has: the key, as four numbers, and the tokens. */
const PLACE = 5;

export class StretchCounts {
  readonly #countWords: (stretch: string) => number;
  /** Each stretch has its place, until another comes that has the same. */
  readonly #places = new Int32Array(PLACE << PLACES_BITS);

  /** `countWords`: what a text takes that ends where a word does, and begins there. */
  constructor(countWords: (stretch: string) => number) {
    this.#countWords = countWords;
  }

  count(text: string): number {
    let total = 0;
    let from = 0;
    let before = OTHER;
    let bits = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at) || NO_BYTE;
      const kind = code < NO_BYTE ? KINDS[code]! : OTHER;
      if (kind === BREAK && before === LETTER) {
        total += this.#countStretch(text, from, at, bits);
        from = at;
        bits = 0;
      }
      KEY_BYTES[(at - from) % KEY_LENGTH] = code;
      bits |= code;
      before = kind;
    }
    return total + this.#countStretch(text, from, text.length, bits);
  }

  /** Counts a stretch whose key has been written, and wipes the key. `bits`: those that any of its characters has. */
  #countStretch(text: string, from: number, to: number, bits: number): number {
    const first = KEY[0]!;
    const second = KEY[1]!;
    const third = KEY[2]!;
    const fourth = KEY[3]!;
    KEY[0] = KEY[1] = KEY[2] = KEY[3] = 0;
    if (bits >= NO_BYTE || to - from > KEY_LENGTH) return this.#countWords(text.slice(from, to));
    const places = this.#places;
    const place = placeOf(first, second, third, fourth);
    const known =
      places[place] === first &&
      places[place + 1] === second &&
      places[place + 2] === third &&
      places[place + 3] === fourth;
    if (known) return places[place + 4]!;
    const tokens = this.#countWords(text.slice(from, to));
    places[place] = first;
    places[place + 1] = second;
    places[place + 2] = third;
    places[place + 3] = fourth;
    places[place + 4] = tokens;
    return tokens;
  }
}

/** The key of the stretch that is being read: its bytes, and zeros. */
const KEY = new Int32Array(KEY_LENGTH / 4);
const KEY_BYTES = new Uint8Array(KEY.buffer);
/** Stands for a character that has no place in a key: one of more than a byte, and 0. */
const NO_BYTE = 256;

/** Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4). */
function placeOf(first: number, second: number, third: number, fourth: number): number {
  const hash =
    Math.imul(first, 0x9e3779b1) ^
    Math.imul(second, 0x85ebca6b) ^
    Math.imul(third, 0xc2b2ae35) ^
    Math.imul(fourth, 0x27d4eb2f);
  return (hash >>> (32 - PLACES_BITS)) * PLACE;
}

const OTHER = 0;
const LETTER = 1;
/** What ends a word if a letter is before it. */
const BREAK = 2;
const KINDS = Uint8Array.from({ length: NO_BYTE }, (_, code) => {
  if (code > 0x7f) return OTHER;
  const char = String.fromCharCode(code);
  if (char === "'") return OTHER;
  return /[A-Za-z]/.test(char) ? LETTER : BREAK;
});
