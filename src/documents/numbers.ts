/**
 * Numbers as text of plain ASCII, six bits to a character, small ones first: of
 * other bytes each would take two in Redis, where all goes as UTF-8.
 */

const BITS = 6;
/** Says that a number goes on. */
const MORE = 1 << BITS;
/** The most characters of one number. */
const LONGEST = 6;

export class NumberWriter {
  readonly #bytes: Buffer;
  #length = 0;

  /** `most`: how many will be written. */
  constructor(most: number) {
    this.#bytes = Buffer.allocUnsafe(LONGEST * most);
  }

  /** From 0 on, of 32 bits at most. */
  write(value: number): void {
    let rest = value;
    for (; rest >= MORE; rest >>>= BITS) this.#bytes[this.#length++] = (rest & (MORE - 1)) | MORE;
    this.#bytes[this.#length++] = rest;
  }

  toString(): string {
    return this.#bytes.toString('latin1', 0, this.#length);
  }
}

export class NumberReader {
  readonly #text: string;
  #at: number;

  constructor(text: string, at = 0) {
    this.#text = text;
    this.#at = at;
  }

  /** Where the next number begins. */
  get at(): number {
    return this.#at;
  }

  read(): number {
    let value = 0;
    for (let shift = 0; ; shift += BITS) {
      const code = this.#text.charCodeAt(this.#at++);
      value |= (code & (MORE - 1)) << shift;
      if (code < MORE) return value;
    }
  }
}
