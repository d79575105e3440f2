/** The newest of what is numbered in order, as far as there is room: for those who are nearly there. */

export interface Numbered {
  readonly seq: number;
  /** What it takes here, about. */
  readonly bytes: number;
}

export interface Room {
  readonly items: number;
  readonly bytes: number;
}

export class Newest<T extends Numbered> {
  readonly #room: Room;
  /** In order, and without a gap. */
  #items: T[] = [];
  /** What the first of them comes after. */
  #after = 0;
  #bytes = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  /** What comes after a seq; nothing when that is further back than what is kept. */
  after(seq: number): T[] {
    if (seq === this.#after) return this.#items.slice();
    const at = this.#items.findLastIndex((item) => item.seq === seq);
    return at < 0 ? [] : this.#items.slice(at + 1);
  }

  /** Keeps items that come after a seq; what is kept already goes when there is something in between. */
  add(after: number, items: readonly T[]): void {
    const last = this.#items.at(-1)?.seq ?? this.#after;
    if (last !== after) this.forget(after);
    for (const item of items) {
      this.#items.push(item);
      this.#bytes += item.bytes;
    }
    let dropped = 0;
    while (this.#items.length - dropped > this.#room.items || this.#bytes > this.#room.bytes) {
      const { seq, bytes } = this.#items[dropped++]!;
      this.#after = seq;
      this.#bytes -= bytes;
    }
    this.#items.splice(0, dropped);
  }

  /** `after`: where what is kept from now on begins. */
  forget(after = 0): void {
    this.#items = [];
    this.#after = after;
    this.#bytes = 0;
  }
}
