/**
 * Makes objects of keys and values.
 *
 * V8 keeps an object that grows by many keys as a hash table, and is slow with it ever after. Made of its entries at
 * once it is not; made as a copy of another with the same keys, as an application's mostly have, it is not either, and
 * is there in half the time.
 */
import type { Json, JsonObject } from './json.ts';

/** Keys that were seen together lately, and when they were again, an object of them to copy. */
interface Shape {
  readonly keys: readonly string[];
  empty?: JsonObject;
}

/** Objects of more keys are made one by one: seldom are two the same, and what is kept is not to grow large. */
const MOST_KEYS = 64;

/** One for each number of keys: who comes later takes the place of who was there. */
const shapes: (Shape | undefined)[] = new Array<undefined>(MOST_KEYS + 1).fill(undefined);

/** The object of these entries: of a key that comes twice the last counts, and `__proto__` is a key like any other. */
export function objectOf(keys: readonly string[], values: readonly Json[]): JsonObject {
  const { length } = keys;
  if (length === 1) return { [keys[0]!]: values[0]! };
  const shape = shapes[length];
  if (!shape || !areSame(shape.keys, keys)) {
    if (length <= MOST_KEYS) shapes[length] = { keys };
    return Object.fromEntries(keys.map((key, at) => [key, values[at]!]));
  }
  shape.empty ??= Object.fromEntries(keys.map((key) => [key, null]));
  const object = { ...shape.empty };
  for (let at = 0; at < length; at++) object[keys[at]!] = values[at]!;
  return object;
}

function areSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}
