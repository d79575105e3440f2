/**
 * Reads an encoded `google.protobuf.Struct` straight into JSON, and refuses one
 * that is too large, too deep, or holds what JSON cannot.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { fieldInvalid } from '../errors.ts';
import type { Json, JsonObject } from './json.ts';
import { knownText, rememberText } from './known_texts.ts';
import { objectOf } from './shapes.ts';
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
import { keepEncoding } from './wire.ts';

/** The most nested containers in a Struct, the root included. */
export const MAX_DEPTH = 32;
/** The largest Struct, as protobuf, in bytes. */
export const MAX_BYTES = 64 * 1024;

/**
 * The object of an encoded Struct; `field` gives its path in the request. Throws
 * FIELD_INVALID with the path down to the value, and any other error when the
 * bytes are no Struct.
 */
export function decodeStruct(bytes: Uint8Array, field: () => string): JsonObject {
  try {
    const reader = new StructReader(bytes);
    const object = reader.root();
    if (reader.isPlain) keepEncoding(object, bytes);
    return object;
  } catch (error) {
    throw error instanceof Refusal ? fieldInvalid(field() + error.path, error.message) : error;
  }
}

/** Why a Struct is refused. On its way out it is told of each step it passes, since most Structs need no path. */
class Refusal extends Error {
  path = '';

  under(step: string | number): this {
    this.path = `[${JSON.stringify(step)}]${this.path}`;
    return this;
  }
}

class StructReader {
  /** Whether the bytes, so far, hold the object and nothing else: each part of it once, and in the usual order. */
  isPlain = true;
  readonly #bytes: Buffer;
  #at = 0;
  /** For what takes more than a byte or two; made when there is any, since that costs more than a small Struct. */
  #reader: BinaryReader | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  root(): JsonObject {
    const { length } = this.#bytes;
    if (length > MAX_BYTES) throw new Refusal(`larger than ${MAX_BYTES} bytes as protobuf`);
    return this.#struct(length, 1);
  }

  /** A map: a key that comes twice has its last value. */
  #struct(end: number, depth: number): JsonObject {
    checkDepth(depth);
    const keys: string[] = [];
    const values: Json[] = [];
    while (this.#more(end)) {
      const tag = this.#uint32();
      if (tag === FIELDS) this.#entry(keys, values, this.#enter(end), depth);
      else this.#skip(tag);
    }
    const object = objectOf(keys, values);
    if (this.isPlain && Object.keys(object).length < keys.length) this.isPlain = false;
    return object;
  }

  #entry(keys: string[], values: Json[], end: number, depth: number): void {
    let key = '';
    let value: Json = null;
    let tags = 0; // all there are, a byte each
    while (this.#more(end)) {
      const tag = this.#uint32();
      tags = tags * 256 + tag;
      if (tag === ENTRY_KEY) key = this.#text(end);
      else if (tag === ENTRY_VALUE) value = this.#within(key, end, depth);
      else this.#skip(tag);
    }
    if (tags !== ENTRY_KEY * 256 + ENTRY_VALUE) this.isPlain = false;
    keys.push(key);
    values.push(value);
  }

  #list(end: number, depth: number): Json[] {
    checkDepth(depth);
    const items: Json[] = [];
    while (this.#more(end)) {
      const tag = this.#uint32();
      if (tag === VALUES) items.push(this.#within(items.length, end, depth));
      else this.#skip(tag);
    }
    return items;
  }

  /** A Value behind its length. */
  #within(step: string | number, end: number, depth: number): Json {
    try {
      return this.#value(this.#enter(end), depth);
    } catch (error) {
      throw error instanceof Refusal ? error.under(step) : error;
    }
  }

  /** One that says nothing is null. */
  #value(end: number, depth: number): Json {
    let value: Json = null;
    let fields = 0;
    while (this.#more(end)) {
      const tag = this.#uint32();
      fields++;
      if (tag === STRING_VALUE) value = this.#text(end);
      else if (tag === NUMBER_VALUE) value = this.#number();
      else if (tag === BOOL_VALUE) value = this.#flag();
      else if (tag === STRUCT_VALUE) value = this.#struct(this.#enter(end), depth + 1);
      else if (tag === LIST_VALUE) value = this.#list(this.#enter(end), depth + 1);
      else if (tag === NULL_VALUE) value = this.#null();
      else this.#skip(tag);
    }
    if (fields !== 1) this.isPlain = false;
    return value;
  }

  /** As BinaryReader.string does strictly, without its list of codes. */
  #text(end: number): string {
    const to = this.#enter(end);
    const from = this.#at;
    this.#at = to;
    return knownText(this.#bytes, from, to) ?? decodeText(this.#bytes, from, to);
  }

  #number(): number {
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    if (!Number.isFinite(value)) throw new Refusal('NaN and Infinity are no JSON');
    return value;
  }

  /** Whatever number it comes as; there is but one. */
  #null(): null {
    if (this.#bytes[this.#at] !== 0) this.isPlain = false;
    this.#read((reader) => reader.skip(WireType.Varint));
    return null;
  }

  /** Mostly a byte. */
  #flag(): boolean {
    const byte = this.#bytes[this.#at]!;
    if (!(byte < 0x80)) return this.#read((reader) => reader.bool()); // also what is not there
    this.#at++;
    return byte !== 0;
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

  /** Passes over what is not known. */
  #skip(tag: number): void {
    this.isPlain = false;
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
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new Refusal(`nested deeper than ${MAX_DEPTH} levels`);
}

function decodeText(bytes: Buffer, from: number, to: number): string {
  const text = bytes.toString('utf8', from, to);
  // Said as such, or put for what is no UTF-8.
  if (text.includes('\ufffd')) return STRICT.decode(bytes.subarray(from, to));
  rememberText(bytes, from, to, text);
  return text;
}

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
