/**
 * Where paths ended that went through a key to a scalar: an application has the
 * same keys in all its sessions, and often the same values, and to look one up
 * takes a third of hashing it.
 */
import type { Json } from './json.ts';
import type { PathHash } from './path_hash.ts';

/** Keys that are kept, each with the value it had last; then all are forgotten. */
const MOST = 1024;
/** What is longer would hold on to too much. */
const LONGEST_TEXT = 64;

interface KnownPath {
  /** Where it began. */
  fromA: number;
  fromB: number;
  value: Json;
  /** Where it ended. */
  a: number;
  b: number;
}

const known = new Map<string, KnownPath>();

/** Where the path from `fromA`, `fromB` through `key` to `value` ended; undefined when that is not known. */
export function knownPath(fromA: number, fromB: number, key: string, value: Json): KnownPath | undefined {
  const path = known.get(key);
  return path && path.value === value && path.fromA === fromA && path.fromB === fromB ? path : undefined;
}

/** Remembers that this path ended at `end`, if its value is a scalar. */
export function keepPath(fromA: number, fromB: number, key: string, value: Json, end: PathHash): void {
  if (key.length > LONGEST_TEXT || !isShort(value)) return;
  const { a, b } = end;
  const path = known.get(key);
  if (path) {
    path.fromA = fromA;
    path.fromB = fromB;
    path.value = value;
    path.a = a;
    path.b = b;
    return;
  }
  if (known.size === MOST) known.clear();
  known.set(key, { fromA, fromB, value, a, b });
}

function isShort(value: Json): boolean {
  return typeof value === 'string'
    ? value.length <= LONGEST_TEXT
    : typeof value !== 'object' || value === null;
}
