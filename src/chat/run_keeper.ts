/** Looks after runs whose process is gone: each process does, for all. */
import { isUnavailable } from '../errors.ts';
import type { Overdue, RunLog } from './run.ts';
import type { RunEnding } from './run_ending.ts';

/** How often to look, in parts of a lease: a run is noticed one and a quarter leases after the last sign of life. */
const LOOKS_PER_LEASE = 4;

export class RunKeeper {
  readonly #log: RunLog;
  readonly #ending: RunEnding;
  readonly #defect: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #looking = false;

  /** `defect`: tells of an error nobody foresaw. */
  constructor(log: RunLog, ending: RunEnding, defect: (error: unknown) => void) {
    this.#log = log;
    this.#ending = ending;
    this.#defect = defect;
    this.#timer = setInterval(() => void this.#look(), log.lease / LOOKS_PER_LEASE);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const overdue = await this.#log.overdue();
      await Promise.all(overdue.map((one) => this.#lookAfter(one)));
    } catch (error) {
      if (!isUnavailable(error)) this.#defect(error);
    } finally {
      this.#looking = false;
    }
  }

  async #lookAfter(overdue: Overdue): Promise<void> {
    await this.#log.lookedAfter(overdue, await this.#ending.endExpired(overdue.key));
  }
}
