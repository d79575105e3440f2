/** Random bytes, drawn from the system a page at a time: asking for a few at a time is what costs. */
import { randomFillSync } from 'node:crypto';

const pool = Buffer.allocUnsafeSlow(4096);
let used = pool.length;

/** `count` random bytes, at most a page. */
export function randomBytes(count: number): Buffer {
  const from = take(count);
  return Buffer.from(pool.subarray(from, from + count));
}

/** The same in base64url. */
export function randomText(count: number): string {
  const from = take(count);
  return pool.toString('base64url', from, from + count);
}

/** Where the next `count` bytes of the pool begin. */
function take(count: number): number {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return used - count;
}
