/** The two ways a patch is merged into an object. Neither touches its arguments. */
import { isObject, type Json, type JsonObject, withEntries } from './json.ts';

/**
 * Top-level keys only: null deletes (a key that is not there: nothing), any
 * other value replaces the old one whole; a null further down is stored.
 */
export function mergeShallow(target: JsonObject, patch: JsonObject): JsonObject {
  return withEntries(
    target,
    Object.entries(patch).map(([key, value]) => [key, value === null ? undefined : value]),
  );
}

/** JSON Merge Patch, RFC 7396: objects are merged at every depth, null deletes, anything else replaces. */
export function mergeDeep(target: JsonObject, patch: JsonObject): JsonObject {
  return withEntries(
    target,
    Object.entries(patch).map(([key, value]) => [
      key,
      value === null ? undefined : merged(target, key, value),
    ]),
  );
}

function merged(target: JsonObject, key: string, value: Json): Json {
  if (!isObject(value)) return value;
  const old = Object.hasOwn(target, key) ? target[key]! : null;
  return mergeDeep(isObject(old) ? old : {}, value);
}
