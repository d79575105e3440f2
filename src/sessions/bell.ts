/** Waiting, for those who follow a session: for a bell, and for what rings none. */
import type { Milliseconds } from './session.ts';

/** How long a stream is quiet before it says that it is alive. */
export const HEARTBEAT: Milliseconds = 15_000;

/**
 * How long to wait before looking whether a session is gone by its time to live. Redis's clock decides, and may be
 * behind ours: past the end it is asked now and then.
 */
export function untilEnd(end: Milliseconds): Milliseconds {
  const left = end - Date.now();
  return left > 0 ? left + 10 : 500;
}

/** A bell for one who waits: it remembers that it was rung until he asks. */
export class Bell {
  readonly #signal: AbortSignal | undefined;
  #rung = false;
  #wake: (() => void) | undefined;
  /** Kept from wait to wait: starting one anew is dearer than all else here. */
  #timer: NodeJS.Timeout | undefined;
  #timeout: Milliseconds | undefined;

  /** `signal`: ends all waiting, with its reason. */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
    const end = () => {
      clearTimeout(this.#timer);
      this.#wake?.();
    };
    signal?.addEventListener('abort', end, { once: true });
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Waits until it is rung, if it was not since the last time, but no longer than `timeout`. */
  async rung(timeout: Milliseconds): Promise<'rung' | 'quiet'> {
    if (!this.#rung && !this.#signal?.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#wakeAfter(timeout);
      });
    }
    this.#signal?.throwIfAborted();
    const rung = this.#rung;
    this.#rung = false;
    return rung ? 'rung' : 'quiet';
  }

  #wakeAfter(timeout: Milliseconds): void {
    if (this.#timer && timeout === this.#timeout) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timeout = timeout;
    this.#timer = setTimeout(() => this.#wake?.(), timeout);
    this.#timer.unref();
  }
}
