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
export const STEP = {
  key: 1,
  string: 2,
  number: 3,
  object: 4,
  array: 5,
  true: 6,
  false: 7,
  null: 8,
} as const;

/** A path on its way: both lanes of it, which are carried on in one loop. */
export class PathHash {
  /** Where every path begins. */
  a = 0x5eadbeef | 0;
  b = 0x41c6ce57;

  /** Goes back to a path it was at. */
  at(a: number, b: number): this {
    this.a = a;
    this.b = b;
    return this;
  }

  /** Goes on by one step; the length comes before the text, so that no two sequences of steps read alike. */
  step(kind: number, text = ''): this {
    const { length } = text;
    let a = mixA(mixA(this.a, kind), length);
    let b = mixB(mixB(this.b, kind), length);
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      a = mixA(a, code);
      b = mixB(b, code);
    }
    this.a = a;
    this.b = b;
    return this;
  }
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
