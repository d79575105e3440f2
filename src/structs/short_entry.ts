/**
 * The entries most Structs are made of: a short key with a scalar. Their lengths
 * take a byte each, so that they are written from front to back in half the time.
 */
import { LONGEST_ASCII, writeAscii } from './ascii.ts';
import type { Json } from './json.ts';
import { BOOL_VALUE, ENTRY_KEY, ENTRY_VALUE, FIELDS, NUMBER_VALUE, STRING_VALUE } from './tags.ts';

/** Two such texts, and what is around them. */
export const LONGEST_ENTRY = 8 + 2 * LONGEST_ASCII;

/**
 * Writes an entry of a Struct's fields at `from`, where there is room for {@link LONGEST_ENTRY} bytes. Returns its end;
 * 0 when it is none of these.
 */
export function writeShortEntry(bytes: Buffer, from: number, key: string, value: Json): number {
  bytes[from] = FIELDS;
  bytes[from + 2] = ENTRY_KEY;
  let at = writeAscii(bytes, from + 3, key);
  if (at === 0) return 0;
  bytes[at] = ENTRY_VALUE;
  const content = at + 2;
  at = writeScalar(bytes, content, value);
  if (at === 0) return 0;
  bytes[content - 1] = at - content;
  bytes[from + 1] = at - from - 2;
  return at;
}

function writeScalar(bytes: Buffer, from: number, value: Json): number {
  switch (typeof value) {
    case 'string':
      bytes[from] = STRING_VALUE;
      return writeAscii(bytes, from + 1, value);
    case 'number':
      bytes[from] = NUMBER_VALUE;
      return bytes.writeDoubleLE(value, from + 1);
    case 'boolean':
      bytes[from] = BOOL_VALUE;
      bytes[from + 1] = value ? 1 : 0;
      return from + 2;
    default:
      return 0;
  }
}
