/**
 * What was encoded last, so that it is at hand while its answer is under way: a write needs the same bytes more than
 * once. Plainer to the garbage collector than a WeakMap.
 */

/** How many are kept: few enough to look through them, which takes less than a Map does with its keys. */
const MOST = 128;
/** What is shorter is encoded about as fast as it is found, and would take the place of something that is not. */
const SHORTEST_BYTES = 128;
/** What is longer would hold on to too much. */
const LONGEST_BYTES = 32 * 1024;

export class RecentEncodings<T extends object> {
  readonly #values: T[] = [];
  readonly #bytes: Buffer[] = [];
  #next = 0;

  /** The bytes of a value, encoded unless they are known; neither may be changed afterwards. */
  of(value: T, encode: (value: T) => Buffer): Buffer {
    const known = this.#values.indexOf(value);
    if (known >= 0) return this.#bytes[known]!;
    const bytes = encode(value);
    if (isKept(bytes)) this.#keep(value, bytes);
    return bytes;
  }

  /** Takes over a value's encoding from elsewhere; by a copy, so that what it is a part of need not be kept. */
  know(value: T, bytes: Uint8Array): void {
    if (isKept(bytes)) this.#keep(value, Buffer.from(bytes));
  }

  /** In the place of the oldest. */
  #keep(value: T, bytes: Buffer): void {
    this.#values[this.#next] = value;
    this.#bytes[this.#next] = bytes;
    this.#next = (this.#next + 1) % MOST;
  }
}

function isKept({ length }: Uint8Array): boolean {
  return length >= SHORTEST_BYTES && length <= LONGEST_BYTES;
}
