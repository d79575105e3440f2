/** Long work in slices, so that a server with one thread answers others meanwhile. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What may be done in one go, in milliseconds: nobody notices. */
const SLICE = 5;

export class Breaks {
  private since = performance.now();

  /** To be awaited between pieces of the work: undefined, at next to no cost, until a slice is over. */
  whenDue(): Promise<void> | undefined {
    return performance.now() - this.since < SLICE ? undefined : this.take();
  }

  private async take(): Promise<void> {
    await nextTurn();
    this.since = performance.now();
  }
}
