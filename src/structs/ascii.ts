/** Short ASCII texts in a message, written by themselves; with a longer one it pays to ask V8. */

export const LONGEST_ASCII = 40;

/** Writes a text behind its length, a byte for each. Returns its end; 0 when it is long, or more than ASCII. */
export function writeAscii(bytes: Buffer, from: number, text: string): number {
  const { length } = text;
  if (length > LONGEST_ASCII) return 0;
  let at = from;
  bytes[at++] = length;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return 0;
    bytes[at++] = code;
  }
  return at;
}
