/** A bell for one who waits: it remembers that it was rung until he asks. */
import type { Milliseconds } from './session.ts';

export class Bell {
  readonly #signal: AbortSignal;
  #rung = false;
  #wake: (() => void) | undefined;

  /** `signal`: ends all waiting, with its reason. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Waits until it is rung, if it was not since the last time, but no longer than `timeout`. */
  async rung(timeout: Milliseconds): Promise<'rung' | 'quiet'> {
    if (!this.#rung && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeout);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#signal.throwIfAborted();
    const rung = this.#rung;
    this.#rung = false;
    return rung ? 'rung' : 'quiet';
  }
}
