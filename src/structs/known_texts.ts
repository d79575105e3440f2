/**
 * Keys and short texts that come again and again, by their bytes: an application's keys are few, and so are the names
 * of models, languages and plans. What is found here need not be decoded, and is the very string it was last time,
 * which is faster to make objects of, and to compare.
 */

/** What is longer is seldom seen twice. */
const LONGEST_BYTES = 24;
/** Who comes later takes the place of who was there. */
const PLACE_BITS = 10;
const PLACES = 1 << PLACE_BITS;
const PLACE_BYTES = 1 + LONGEST_BYTES;

const texts = new Array<string>(PLACES).fill('');
/** Of each place: how long its text is, and the bytes of it. */
const places = new Uint8Array(PLACES * PLACE_BYTES);

/** The text of these bytes; undefined when it is not known. */
export function knownText(bytes: Uint8Array, from: number, to: number): string | undefined {
  const length = to - from;
  if (length > LONGEST_BYTES) return undefined;
  const place = placeOf(bytes, from, length);
  let at = place * PLACE_BYTES;
  if (places[at] !== length) return undefined;
  for (let index = from; index < to; index++) if (places[++at] !== bytes[index]) return undefined;
  return texts[place]!;
}

/** Keeps what these bytes, valid UTF-8, are as text. */
export function rememberText(bytes: Uint8Array, from: number, to: number, text: string): void {
  const length = to - from;
  if (length > LONGEST_BYTES) return;
  const place = placeOf(bytes, from, length);
  texts[place] = text;
  places[place * PLACE_BYTES] = length;
  places.set(bytes.subarray(from, to), place * PLACE_BYTES + 1);
}

/** By four of the bytes and their number: a look at each would take as long as decoding some. */
function placeOf(bytes: Uint8Array, from: number, length: number): number {
  const last = from + length - 1;
  const ends = bytes[from]! | (bytes[last]! << 8);
  const middle = bytes[from + (length >> 1)]! | (bytes[from + (length >> 2)]! << 8);
  return Math.imul(ends ^ (middle << 16) ^ (length << 3), 0x9e3779b1) >>> (32 - PLACE_BITS);
}
