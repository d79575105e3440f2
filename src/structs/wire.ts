/**
 * `google.protobuf.Struct` on the wire, straight from JSON: about eight times as fast as encoding through message
 * objects, and the measure of how large an object is "as protobuf".
 */
import type { Json, JsonObject } from './json.ts';
import { RecentEncodings } from './recent_encodings.ts';
import { LONGEST_ENTRY, writeShortEntry } from './short_entry.ts';
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
import { type WireWriter, written } from './wire_writer.ts';

/** The size of an object as an encoded `google.protobuf.Struct`, in bytes; of one that is to be stored. */
export function structSize(value: JsonObject): number {
  return encodeStored(value).length;
}

/** An object as an encoded `google.protobuf.Struct`. */
export function encodeStruct(value: JsonObject): Buffer {
  return written((writer) => writeFields(writer, value));
}

/** An object as the content of a `google.protobuf.Struct` in another message. */
export function writeFields(writer: WireWriter, value: JsonObject): void {
  for (const key in value) {
    if (writer.inPlace(LONGEST_ENTRY, writeShortEntry, key, value[key]!)) continue;
    writer.uint32(FIELDS).fork().uint32(ENTRY_KEY).string(key).uint32(ENTRY_VALUE).fork();
    writeKind(writer, value[key]!);
    writer.join().join();
  }
}

/**
 * The same for an object of a session, which is measured, stored, and answered when that is done: encoded once.
 * Neither the object nor the bytes may be changed afterwards.
 */
export function encodeStored(value: JsonObject): Buffer {
  return isEmpty(value) ? EMPTY : recent.of(value, encodeStruct);
}

/**
 * Has an object that was read from `bytes`, and will perhaps be stored, encoded by them: they hold it and nothing else,
 * its keys in any order.
 */
export function keepEncoding(value: JsonObject, bytes: Uint8Array): void {
  recent.know(value, bytes);
}

const recent = new RecentEncodings<JsonObject>();
/** Most objects of a session are empty. */
const EMPTY = Buffer.alloc(0);

function isEmpty(value: JsonObject): boolean {
  for (const _ in value) return false;
  return true;
}

/** What a `google.protobuf.Value` holds. */
function writeKind(writer: WireWriter, value: Json): void {
  if (typeof value === 'string') writer.uint32(STRING_VALUE).string(value);
  else if (typeof value === 'number') writer.uint32(NUMBER_VALUE).double(value);
  else if (typeof value === 'boolean') writer.uint32(BOOL_VALUE).bool(value);
  else if (value === null) writer.uint32(NULL_VALUE).uint32(0);
  else if (Array.isArray(value)) {
    writer.uint32(LIST_VALUE).fork();
    for (const item of value) {
      writer.uint32(VALUES).fork();
      writeKind(writer, item);
      writer.join();
    }
    writer.join();
  } else {
    writer.uint32(STRUCT_VALUE).fork();
    writeFields(writer, value);
    writer.join();
  }
}
