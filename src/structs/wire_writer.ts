/**
 * Writes protobuf messages: what is used here of protobuf-es's `BinaryWriter`, by the same names, for half of what it
 * takes.
 *
 * Messages lie one behind the other in a slab of memory, and are handed out as they lie there: none is copied when it
 * is finished, and none has memory of its own to be found and given back. As with small `Buffer`s, whoever holds on to
 * a message holds on to its slab.
 */
import type { WireType } from '@bufbuild/protobuf/wire';
import { LONGEST_ASCII, writeAscii } from './ascii.ts';

const SLAB_BYTES = 8 * 1024;
const NO_SLAB = Buffer.alloc(0);
/** What a varint takes of 32 bits; one of 64 takes as much again. */
export const MAX_VARINT = 5;

/** Writers that are used again: as many as write inside each other. One that fails is not among them any more. */
const spare: WireWriter[] = [];

/** The bytes that `write` writes; it may have others written meanwhile. */
export function written(write: (writer: WireWriter) => void): Buffer {
  const writer = spare.pop() ?? new WireWriter();
  write(writer);
  spare.push(writer);
  return writer.finish();
}

export class WireWriter {
  #slab: Buffer = NO_SLAB;
  /** Where the message begins, and where it goes on. */
  #start = 0;
  #end = 0;
  /** Of messages in the message that are being written: where their lengths go, from its beginning. */
  readonly #open: number[] = [];

  /** The message; the next one begins behind it. */
  finish(): Buffer {
    const message = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (this.#slab.length > SLAB_BYTES) this.#take(NO_SLAB, 0); // what was large is its own
    return message;
  }

  tag(number: number, type: WireType): this {
    return this.uint32(((number << 3) | type) >>> 0);
  }

  uint32(value: number): this {
    this.#reserve(MAX_VARINT);
    this.#end = writeVarint(this.#slab, this.#end, value);
    return this;
  }

  /** A whole number that is not negative. */
  uint64(value: number): this {
    this.#reserve(2 * MAX_VARINT);
    let rest = value;
    for (; rest > 0xffff_ffff; rest = Math.floor(rest / 0x80)) this.#slab[this.#end++] = (rest % 0x80) | 0x80;
    this.#end = writeVarint(this.#slab, this.#end, rest);
    return this;
  }

  double(value: number): this {
    this.#reserve(8);
    this.#end = this.#slab.writeDoubleLE(value, this.#end);
    return this;
  }

  bool(value: boolean): this {
    return this.uint32(value ? 1 : 0);
  }

  string(value: string): this {
    this.#reserve(1 + LONGEST_ASCII);
    const end = writeAscii(this.#slab, this.#end, value);
    if (end > 0) {
      this.#end = end;
      return this;
    }
    const length = Buffer.byteLength(value);
    this.uint32(length);
    this.#reserve(length);
    this.#end += this.#slab.write(value, this.#end, length, 'utf8');
    return this;
  }

  bytes(value: Uint8Array): this {
    return this.uint32(value.length).raw(value);
  }

  /** What is encoded already. */
  raw(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#slab.set(value, this.#end);
    this.#end += value.length;
    return this;
  }

  /** Has `write` write up to `most` bytes into the slab: it is told where, and returns their end, or 0 for none. */
  inPlace<K, V>(
    most: number,
    write: (slab: Buffer, from: number, key: K, value: V) => number,
    key: K,
    value: V,
  ): boolean {
    this.#reserve(most);
    const end = write(this.#slab, this.#end, key, value);
    if (end > 0) this.#end = end;
    return end > 0;
  }

  /** Begins a message in the message; its length is known when it ends, and mostly takes a byte. */
  fork(): this {
    this.#reserve(1);
    this.#open.push(this.#end - this.#start);
    this.#end++;
    return this;
  }

  /** Ends the message that was begun last. */
  join(): this {
    const from = this.#open.pop()!;
    const length = this.#end - this.#start - from - 1;
    this.#reserve(MAX_VARINT);
    const at = this.#start + from;
    if (length >= 0x80) {
      const more = varintSize(length) - 1;
      this.#slab.copyWithin(at + 1 + more, at + 1, this.#end);
      this.#end += more;
    }
    writeVarint(this.#slab, at, length);
    return this;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#slab.length) return;
    const taken = this.#end - this.#start;
    const slab = Buffer.allocUnsafeSlow(taken + bytes > SLAB_BYTES / 2 ? 2 * (taken + bytes) : SLAB_BYTES);
    this.#slab.copy(slab, 0, this.#start, this.#end);
    this.#take(slab, taken);
  }

  #take(slab: Buffer, taken: number): void {
    this.#slab = slab;
    this.#start = 0;
    this.#end = taken;
  }
}

/** Writes a uint32. Returns where what follows begins. */
export function writeVarint(bytes: Buffer, at: number, value: number): number {
  let end = at;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes[end++] = (rest & 0x7f) | 0x80;
  bytes[end++] = rest;
  return end;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest >>>= 7) size++;
  return size;
}
