/** Server time in microseconds. */
import type { Micros } from './session.ts';

let last = 0;

/**
 * Now, never going backward and never the same twice in one process: within a
 * millisecond the microseconds count on, so that what was made in order sorts
 * in order.
 */
export function now(): Micros {
  last = Math.max(last + 1, Date.now() * 1000);
  return last;
}
