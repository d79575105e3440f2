/**
 * A walk over the fields of an encoded message without a copy or an object: a decoder would cost the load generator as
 * much as a delivery costs the server. Knows varints, 64-bit numbers and what has a length, and field numbers to 15.
 */
export class WireFields {
  /** The field the walk is at. */
  number = 0;
  /** Where its content lies: without its tag, and without its length. */
  start = 0;
  end = 0;
  /** What it says, when it is a varint. */
  value = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #stop = 0;

  /** Begins with the message that lies between `start` and `stop`. */
  begin(bytes: Buffer, start: number, stop: number): this {
    this.#bytes = bytes;
    this.end = start;
    this.#stop = stop;
    return this;
  }

  /** Goes to the next field; false at the end of the message. */
  next(): boolean {
    if (this.end >= this.#stop) return false;
    const tag = this.#bytes[this.end]!;
    this.number = tag >> 3;
    this.start = this.end + 1;
    switch (tag & 7) {
      case 0:
        this.#readVarint();
        return true;
      case 1:
        this.end = this.start + 8;
        return true;
      case 2:
        this.#readVarint();
        this.start = this.end;
        this.end = this.start + this.value;
        return true;
    }
    throw new Error(`a field with tag ${tag}: nothing the bench knows how to read`);
  }

  /** To `value`, with `end` behind it. */
  #readVarint(): void {
    this.end = this.start;
    this.value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = this.#bytes[this.end++]!;
      this.value += (byte & 127) * shift;
      if (byte < 128) return;
    }
  }
}
