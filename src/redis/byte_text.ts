/**
 * Bytes as text, a character for each: one Buffer among its arguments makes
 * ioredis slow for all.
 */

export function toText({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

export function fromText(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
