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
