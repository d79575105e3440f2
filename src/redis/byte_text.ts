/**
 * Bytes as text, a character for each: one Buffer among its arguments makes
 * ioredis slow for all.
 */

export function toText(bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes;
  return (Buffer.isBuffer(bytes) ? bytes : Buffer.from(buffer, byteOffset, byteLength)).toString('latin1');
}

export function fromText(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** A uint32 as protobuf writes it. */
export function varintText(value: number): string {
  let text = '';
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) text += String.fromCharCode((rest & 0x7f) | 0x80);
  return text + String.fromCharCode(rest);
}
