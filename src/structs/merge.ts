/** The two ways a patch is merged into an object, and the patches that make one of another. None touches its arguments. */
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
  const old = own(target, key);
  return mergeDeep(isObject(old) ? old : {}, value);
}

/** A member, and nothing that every object inherits. */
function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/**
 * The merge patch (RFC 7396) that makes `after` of `before`; a member that is undefined is not there. Undefined when
 * there is none, since a patch cannot write a null into an object, nor here a key that objects take for their prototype.
 */
export function mergePatch(before: object, after: object): JsonObject | undefined {
  const from = before as Readonly<Record<string, Json | undefined>>;
  const to = after as typeof from;
  const patch: JsonObject = {};
  let stayed = 0;
  for (const key in to) {
    const value = to[key];
    const old = from[key];
    if (old !== undefined && typeof old !== 'function') stayed++; // but for what every object inherits
    if (Object.is(value, old) || value === undefined) continue;
    const change = isObject(value) && isObject(old) ? mergePatch(old, value) : withoutNull(value);
    if (change === undefined || key === '__proto__') return undefined;
    patch[key] = change;
  }
  // Members hardly ever go, and to look for them takes as long as all the rest.
  if (stayed < Object.keys(from).length) {
    for (const key in from) {
      if (from[key] === undefined || (Object.hasOwn(to, key) && to[key] !== undefined)) continue;
      if (key === '__proto__') return undefined;
      patch[key] = null;
    }
  }
  return patch;
}

/**
 * The merge patch that makes `before` again of what `patch` made of it. Undefined when there is none, since a patch
 * cannot write a null into an object.
 */
export function inversePatch(before: JsonObject, patch: JsonObject): JsonObject | undefined {
  const inverse: JsonObject = {};
  for (const key in patch) {
    const value = patch[key];
    const old = own(before, key);
    if (old === undefined) {
      inverse[key] = null;
      continue;
    }
    const back = isObject(value) && isObject(old) ? inversePatch(old, value) : withoutNull(old);
    if (back === undefined) return undefined;
    inverse[key] = back;
  }
  return inverse;
}

function withoutNull(value: Json): Json | undefined {
  return hasNull(value) ? undefined : value;
}

/** Those in the objects of a list would stay where they are; that is too rare to be told apart. */
function hasNull(value: Json): boolean {
  if (value === null) return true;
  return typeof value === 'object' && Object.values(value).some(hasNull);
}
