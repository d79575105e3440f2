/**
 * Reads an encoded `google.protobuf.Struct` straight into JSON, and refuses one
 * that is too large, too deep, or holds what JSON cannot.
 */
import { BinaryReader, type WireType } from '@bufbuild/protobuf/wire';
import { fieldInvalid, type ParleyError } from '../errors.ts';
import type { Json, JsonObject } from './json.ts';
import {
  BOOL_VALUE,
  ENTRY_KEY,
  ENTRY_VALUE,
  FIELDS,
  LIST_VALUE,
  NULL_VALUE,
  NUMBER_VALUE,
  STRING_VALUE,
  STRUCT_VALUE,
  VALUES,
} from './tags.ts';

/** The most nested containers in a Struct, the root included. */
export const MAX_DEPTH = 32;
/** The largest Struct, as protobuf, in bytes. */
export const MAX_BYTES = 64 * 1024;

/**
 * The object of an encoded Struct; `field` is its path in the request. Throws
 * FIELD_INVALID with the path down to the value, and any other error when the
 * bytes are no Struct.
 */
export function decodeStruct(bytes: Uint8Array, field: string): JsonObject {
  return new StructReader(bytes, field).root();
}

class StructReader {
  readonly #bytes: Buffer;
  #at = 0;
  /** For what takes more than a byte or two; made when there is any, since that costs more than a small Struct. */
  #reader: BinaryReader | undefined;
  readonly #field: string;
  /** The keys and list indices down to where we are. */
  readonly #path: (string | number)[] = [];

  constructor(bytes: Uint8Array, field: string) {
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#field = field;
  }

  root(): JsonObject {
    const { length } = this.#bytes;
    if (length > MAX_BYTES) throw this.#invalid(`larger than ${MAX_BYTES} bytes as protobuf`);
    return this.#struct(length, 1);
  }

  /**
   * A map: a key that comes twice has its last value, and `__proto__` is a key like any other. Made of its entries at
   * once, since V8 keeps an object that grows by many keys as a hash table, and is slow with it ever after.
   */
  #struct(end: number, depth: number): JsonObject {
    this.#checkDepth(depth);
    const entries: [string, Json][] = [];
    while (this.#more(end)) {
      const tag = this.#uint32();
      if (tag === FIELDS) entries.push(this.#entry(this.#enter(end), depth));
      else this.#skip(tag);
    }
    return Object.fromEntries(entries);
  }

  #entry(end: number, depth: number): [string, Json] {
    let key = '';
    let value: Json = null;
    while (this.#more(end)) {
      const tag = this.#uint32();
      if (tag === ENTRY_KEY) key = this.#text(end);
      else if (tag === ENTRY_VALUE) value = this.#within(key, end, depth);
      else this.#skip(tag);
    }
    return [key, value];
  }

  #list(end: number, depth: number): Json[] {
    this.#checkDepth(depth);
    const items: Json[] = [];
    while (this.#more(end)) {
      const tag = this.#uint32();
      if (tag === VALUES) items.push(this.#within(items.length, end, depth));
      else this.#skip(tag);
    }
    return items;
  }

  /** A Value behind its length; one that says nothing is null. */
  #within(step: string | number, end: number, depth: number): Json {
    this.#path.push(step);
    const value = this.#value(this.#enter(end), depth);
    this.#path.pop();
    return value;
  }

  #value(end: number, depth: number): Json {
    let value: Json = null;
    while (this.#more(end)) {
      const tag = this.#uint32();
      if (tag === STRING_VALUE) value = this.#text(end);
      else if (tag === NUMBER_VALUE) value = this.#number();
      else if (tag === BOOL_VALUE) value = this.#read((reader) => reader.bool());
      else if (tag === STRUCT_VALUE) value = this.#struct(this.#enter(end), depth + 1);
      else if (tag === LIST_VALUE) value = this.#list(this.#enter(end), depth + 1);
      else {
        if (tag === NULL_VALUE) value = null;
        this.#skip(tag);
      }
    }
    return value;
  }

  /** As BinaryReader.string does strictly, without its list of codes. */
  #text(end: number): string {
    const to = this.#enter(end);
    const from = this.#at;
    this.#at = to;
    const text = this.#bytes.toString('utf8', from, to);
    // Said as such, or put for what is no UTF-8.
    return text.includes('\ufffd') ? STRICT.decode(this.#bytes.subarray(from, to)) : text;
  }

  #number(): number {
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    if (!Number.isFinite(value)) throw this.#invalid('NaN and Infinity are no JSON');
    return value;
  }

  /** Whether something follows before `end`; what was read last must not have gone beyond. */
  #more(end: number): boolean {
    if (this.#at > end) throw new RangeError('a field is longer than its message');
    return this.#at < end;
  }

  /** Reads a length, and says where what follows ends. */
  #enter(end: number): number {
    const length = this.#uint32();
    if (this.#at + length > end) throw new RangeError('a nested message is longer than its parent');
    return this.#at + length;
  }

  #skip(tag: number): void {
    this.#read((reader) => reader.skip((tag & 7) as WireType, tag >>> 3));
  }

  /** Mostly a byte, or two. */
  #uint32(): number {
    const low = this.#bytes[this.#at]!;
    const high = low < 0x80 ? 0 : this.#bytes[this.#at + 1]!;
    if (!(high < 0x80)) return this.#read((reader) => reader.uint32()); // also what is not there
    this.#at += low < 0x80 ? 1 : 2;
    return (low & 0x7f) | (high << 7);
  }

  #read<T>(read: (reader: BinaryReader) => T): T {
    this.#reader ??= new BinaryReader(this.#bytes);
    this.#reader.pos = this.#at;
    const value = read(this.#reader);
    this.#at = this.#reader.pos;
    return value;
  }

  #checkDepth(depth: number): void {
    if (depth > MAX_DEPTH) throw this.#invalid(`nested deeper than ${MAX_DEPTH} levels`);
  }

  #invalid(description: string): ParleyError {
    return fieldInvalid(
      this.#field + this.#path.map((step) => `[${JSON.stringify(step)}]`).join(''),
      description,
    );
  }
}

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
