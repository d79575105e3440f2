/**
 * What was encoded last, so that it is at hand while its answer is under way: a write needs the same bytes more than
 * once. Plainer to the garbage collector than a WeakMap.
 */

/** How many are kept: few enough to look through them, which takes less than a Map does with its keys. */
const MOST = 128;
/** What is longer is encoded anew. */
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
    if (bytes.length <= LONGEST_BYTES) this.#keep(value, bytes);
    return bytes;
  }

  /** In the place of the oldest. */
  #keep(value: T, bytes: Buffer): void {
    this.#values[this.#next] = value;
    this.#bytes[this.#next] = bytes;
    this.#next = (this.#next + 1) % MOST;
  }
}
