/** A bell for one who waits: it remembers that it was rung until he asks. */
import type { Milliseconds } from './session.ts';

export class Bell {
  readonly #signal: AbortSignal;
  #rung = false;
  #wake: (() => void) | undefined;
  /** Kept from wait to wait: starting one anew is dearer than all else here. */
  #timer: NodeJS.Timeout | undefined;
  #timeout: Milliseconds | undefined;

  /** `signal`: ends all waiting, with its reason. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    const end = () => {
      clearTimeout(this.#timer);
      this.#wake?.();
    };
    signal.addEventListener('abort', end, { once: true });
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Waits until it is rung, if it was not since the last time, but no longer than `timeout`. */
  async rung(timeout: Milliseconds): Promise<'rung' | 'quiet'> {
    if (!this.#rung && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#wakeAfter(timeout);
      });
    }
    this.#signal.throwIfAborted();
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
