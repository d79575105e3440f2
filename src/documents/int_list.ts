/** A list of integers of 32 bits that grows: V8's own takes several times as long to fill. */
export class IntList {
  #items: Int32Array;
  #length = 0;

  /** `room`: for how many, to begin with. */
  constructor(room: number) {
    this.#items = new Int32Array(Math.max(1, room));
  }

  get length(): number {
    return this.#length;
  }

  push(item: number): void {
    if (this.#length === this.#items.length) {
      const larger = new Int32Array(2 * this.#length);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.#length++] = item;
  }

  /** A view, until more is pushed. */
  get items(): Int32Array {
    return this.#items.subarray(0, this.#length);
  }
}
