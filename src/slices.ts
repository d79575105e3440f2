/**
 * Long work in slices, so that a server with one thread answers others meanwhile. Many who have work at once may share
 * them: after some milliseconds all go on in the next turn of the event loop.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Milliseconds } from './sessions/session.ts';

/** What work may take of a turn without anybody noticing. */
const UNNOTICED: Milliseconds = 5;

export class Slices {
  readonly #slice: Milliseconds;
  /** When the work of this turn began. */
  #since: number | undefined;
  #next: Promise<void> = Promise.resolve();

  /** `slice`: what the work may take of a turn. */
  constructor(slice = UNNOTICED) {
    this.#slice = slice;
  }

  /** To be awaited between pieces of the work: undefined, at next to no cost, until the slice is over. */
  whenDue(): Promise<void> | undefined {
    const now = performance.now();
    if (this.#since !== undefined) return now - this.#since < this.#slice ? undefined : this.#next;
    this.#since = now;
    this.#next = nextTurn().then(() => {
      this.#since = undefined;
    });
    return undefined;
  }
}
