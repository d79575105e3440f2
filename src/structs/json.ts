/** JSON values as `google.protobuf.Struct` knows them, and what must not be lost when they are written down. */

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a text is JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON text in which every double comes back as it was, the negative zero included. */
export function stringify(value: unknown): string {
  return hasNegativeZero(value) ? JSON.stringify(value, keepNegativeZero) : JSON.stringify(value);
}

/** Whether two values are the same JSON; the order of keys does not count. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]))
    );
  }
  let count = 0;
  for (const key in a) {
    count++;
    const mine = a[key]!;
    const its = b[key];
    // What objects inherit is never a scalar, so that one that is the same is the object's own.
    const isSame =
      typeof mine === 'object' ? Object.hasOwn(b, key) && equal(mine, its) : Object.is(mine, its);
    if (!isSame) return false;
  }
  return Object.keys(b).length === count;
}

/** A copy with some keys set or (`undefined`) left out; `__proto__` is a key like any other. */
export function withEntries(base: JsonObject, changes: Iterable<[string, Json | undefined]>): JsonObject {
  const copy: JsonObject = { ...base };
  for (const [key, value] of changes) {
    if (value === undefined) delete copy[key];
    else if (key !== '__proto__') copy[key] = value;
    else Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

function hasNegativeZero(value: unknown): boolean {
  if (typeof value === 'number') return Object.is(value, -0);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasNegativeZero);
  for (const key in value) if (hasNegativeZero((value as JsonObject)[key])) return true;
  return false;
}

/** `JSON.stringify(-0)` is `0`; JSON.rawJSON (ES2025) is not in TypeScript's library yet. */
const NEGATIVE_ZERO: unknown = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('-0.0');

function keepNegativeZero(_key: string, value: unknown): unknown {
  return Object.is(value, -0) ? NEGATIVE_ZERO : value;
}
