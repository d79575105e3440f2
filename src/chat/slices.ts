/**
 * Shares the turns of the event loop among many who have work at once: after some milliseconds all of them go on in
 * the next turn, so that Redis's answers, timers and other calls are never kept waiting for long.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Milliseconds } from '../sessions/session.ts';

/** What the work may take of a turn. */
const SLICE: Milliseconds = 10;

export class Slices {
  /** When the work of this turn began. */
  #since: number | undefined;
  #next: Promise<void> = Promise.resolve();

  /** To be awaited between pieces of the work: undefined, at next to no cost, until the slice is over. */
  whenDue(): Promise<void> | undefined {
    const now = performance.now();
    if (this.#since !== undefined) return now - this.#since < SLICE ? undefined : this.#next;
    this.#since = now;
    this.#next = nextTurn().then(() => {
      this.#since = undefined;
    });
    return undefined;
  }
}
