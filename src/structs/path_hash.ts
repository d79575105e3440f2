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

const WORD_LENGTH = 16;
/** Where words are written, when there are not too many. */
const page = Buffer.allocUnsafeSlow(4096);
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const [OPEN, CLOSE, QUOTE, COMMA] = Buffer.from('[]",', 'latin1') as unknown as [
  number,
  number,
  number,
  number,
];

/**
 * Each path as 16 hexadecimal digits, a word that a query need not escape: all of them as a list in JSON, which is
 * faster than making a string of each. `lanes`: both of a path, path by path.
 */
export function words(lanes: readonly number[]): string {
  const most = 2 + (lanes.length / 2) * (WORD_LENGTH + 3);
  const text = most <= page.length ? page : Buffer.allocUnsafe(most);
  let end = 0;
  text[end++] = OPEN;
  for (let at = 0; at < lanes.length; at += 2) {
    const a = lanes[at]!;
    const b = lanes[at + 1]!;
    const first = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
    const second = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(first ^ (first >>> 13), 3266489909);
    if (at > 0) text[end++] = COMMA;
    text[end++] = QUOTE;
    end = writeDigits(text, writeDigits(text, end, first), second);
    text[end++] = QUOTE;
  }
  text[end++] = CLOSE;
  return text.toString('latin1', 0, end);
}

/** A lane's four bytes, the lowest first. */
function writeDigits(text: Buffer, from: number, lane: number): number {
  let at = from;
  for (let shift = 0; shift < 32; shift += 8) {
    text[at++] = DIGITS[(lane >>> (shift + 4)) & 15]!;
    text[at++] = DIGITS[(lane >>> shift) & 15]!;
  }
  return at;
}

function mixA(lane: number, value: number): number {
  return Math.imul(lane ^ value, 2654435761);
}

function mixB(lane: number, value: number): number {
  return Math.imul(lane ^ value, 1597334677);
}
