/**
 * Hashes of paths through a JSON value, carried on step by step, so that no path
 * is ever written out: a document of twenty keys has some forty tokens, and they
 * are made anew with every change.
 *
 * Two lanes of 32 bits, multiplied and mixed as in cyrb53 (public domain,
 * https://github.com/bryc/code/blob/master/jshash/experimental/cyrb53.js). Nobody
 * relies on its strength: a collision costs one needless recheck.
 */

/** Where a path has come to. */
export interface PathHash {
  readonly a: number;
  readonly b: number;
}

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

export const ROOT: PathHash = { a: 0x5eadbeef | 0, b: 0x41c6ce57 };

/** A path that goes on by one step; the length comes first, so that no two sequences of steps read alike. */
export function step(path: PathHash, kind: Step, text = ''): PathHash {
  let a = mixA(mixA(path.a, STEPS[kind]), text.length);
  let b = mixB(mixB(path.b, STEPS[kind]), text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    a = mixA(a, code);
    b = mixB(b, code);
  }
  return { a, b };
}

/** Each distinct hash as 16 hexadecimal digits, a word that a query need not escape. */
export function words(hashes: readonly PathHash[]): string[] {
  const bytes = Buffer.allocUnsafe(hashes.length * 8);
  for (const [at, { a, b }] of hashes.entries()) {
    const first = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
    const second = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(first ^ (first >>> 13), 3266489909);
    bytes.writeInt32LE(first, at * 8);
    bytes.writeInt32LE(second, at * 8 + 4);
  }
  const text = bytes.toString('hex');
  return [...new Set(hashes.map((_, at) => text.slice(at * 16, at * 16 + 16)))];
}

function mixA(lane: number, value: number): number {
  return Math.imul(lane ^ value, 2654435761);
}

function mixB(lane: number, value: number): number {
  return Math.imul(lane ^ value, 1597334677);
}
