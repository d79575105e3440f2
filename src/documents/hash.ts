/**
 * Hashes of stretches of text, a character at a time, for tables inside this
 * program: FNV-1a (RFC 9923), and the last steps of MurmurHash3 (public domain),
 * since the tables go by its first and by its last bits.
 */

export const START = 0x811c9dc5 | 0;

/** A hash that goes on by one character. */
export function mix(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}

/** 31 bits: what V8 keeps as a plain integer. */
export function finish(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const whole = Math.imul(half ^ (half >>> 13), 0xc2b2ae35);
  return (whole ^ (whole >>> 16)) >>> 1;
}

/** The hash of a text. */
export function hashOf(text: string): number {
  let hash = START;
  for (let at = 0; at < text.length; at++) hash = mix(hash, text.charCodeAt(at));
  return finish(hash);
}
