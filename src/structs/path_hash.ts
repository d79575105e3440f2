/**
 * Hashes of paths through a JSON value, carried on step by step, so that no path
 * is ever written out, and none is an object: a document of twenty keys has some
 * forty tokens, and they are made anew with every change.
 *
 * Two lanes of 32 bits, multiplied and mixed as in cyrb53 (public domain,
 * https://github.com/bryc/code/blob/master/jshash/experimental/cyrb53.js). Nobody
 * relies on its strength: a collision costs one needless recheck.
 */

/** The kinds of step: a key, and the values of JSON. */
export type Step = 'key' | 'string' | 'number' | 'object' | 'array' | 'true' | 'false' | 'null';

const STEPS: Record<Step, number> = {
  key: 1,
  string: 2,
  number: 3,
  object: 4,
  array: 5,
  true: 6,
  false: 7,
  null: 8,
};

/** Where every path begins, on either lane. */
export const ROOT_A = 0x5eadbeef | 0;
export const ROOT_B = 0x41c6ce57;

/** A path that goes on by one step, on the first lane; the length comes first, so that no two sequences of steps read alike. */
export function stepA(path: number, kind: Step, text = ''): number {
  let lane = mixA(mixA(path, STEPS[kind]), text.length);
  for (let at = 0; at < text.length; at++) lane = mixA(lane, text.charCodeAt(at));
  return lane;
}

/** The same on the second lane. */
export function stepB(path: number, kind: Step, text = ''): number {
  let lane = mixB(mixB(path, STEPS[kind]), text.length);
  for (let at = 0; at < text.length; at++) lane = mixB(lane, text.charCodeAt(at));
  return lane;
}

/** Each path as 16 hexadecimal digits, a word that a query need not escape. `lanes`: both of a path, path by path. */
export function words(lanes: readonly number[]): string[] {
  const bytes = Buffer.allocUnsafe(lanes.length * 4);
  for (let at = 0; at < lanes.length; at += 2) {
    const [a, b] = [lanes[at]!, lanes[at + 1]!];
    const first = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
    const second = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(first ^ (first >>> 13), 3266489909);
    bytes.writeInt32LE(first, at * 4);
    bytes.writeInt32LE(second, at * 4 + 4);
  }
  const text = bytes.toString('hex');
  const found: string[] = [];
  for (let at = 0; at < text.length; at += 16) found.push(text.slice(at, at + 16));
  return found;
}

function mixA(lane: number, value: number): number {
  return Math.imul(lane ^ value, 2654435761);
}

function mixB(lane: number, value: number): number {
  return Math.imul(lane ^ value, 1597334677);
}
