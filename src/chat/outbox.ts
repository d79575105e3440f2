/**
 * What a run says, on its way into its log: written at once when it has been
 * quiet, and otherwise gathered for some milliseconds, so that hundreds of
 * answers at a time do not drown Redis in single words.
 */
import { Bell } from '../sessions/bell.ts';
import type { Milliseconds } from '../sessions/session.ts';
import { type Delta, joined } from './answer.ts';

/** So much is written without waiting for more, in characters. */
const ENOUGH = 512;
/** What an event counts for beside what it says. */
const EVENT = 16;
/** Whoever says more than this before it is written has to wait. */
const TOO_MUCH = 64 * 1024;

export class Outbox {
  /** Writes deltas as the next events, however long it takes; rejects when it is not to be. */
  readonly #write: (deltas: readonly Delta[]) => Promise<void>;
  /** How long to gather. */
  readonly #pause: () => Milliseconds;
  readonly #bell = new Bell();
  #deltas: Delta[] = [];
  #size = 0;
  #writing: Promise<void> | undefined;
  #flushing = false;

  constructor(write: (deltas: readonly Delta[]) => Promise<void>, pause: () => Milliseconds) {
    this.#write = write;
    this.#pause = pause;
  }

  /** Takes a delta; what it returns is to be waited for. */
  add(delta: Delta): Promise<void> | undefined {
    const last = this.#deltas.at(-1);
    const whole = last && joined(last, delta);
    if (whole) this.#deltas[this.#deltas.length - 1] = whole;
    else this.#deltas.push(delta);
    this.#size += (delta.kind === 'toolCall' ? delta.arguments : delta.text).length + (whole ? 0 : EVENT);
    if (this.#size >= ENOUGH) this.#bell.ring();
    this.#writing ??= this.#writeAll();
    this.#writing.catch(() => {}); // whoever flushes hears of it
    return this.#size > TOO_MUCH ? this.#writing : undefined;
  }

  /** Returns when everything is written. */
  async flush(): Promise<void> {
    this.#flushing = true;
    this.#bell.ring();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    await undefined; // what was said in one breath goes together
    while (this.#deltas.length > 0) {
      const deltas = this.#deltas;
      this.#deltas = [];
      this.#size = 0;
      await this.#write(deltas);
      if (!this.#flushing && this.#size < ENOUGH) await this.#bell.rung(this.#pause());
    }
    this.#writing = undefined;
  }
}
