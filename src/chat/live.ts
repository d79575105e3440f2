/**
 * The end of a log, where a follower waits for what comes. Turns he is sent in the moment they are heard of: to wake
 * him, so that he fetches them, costs as much as to send them.
 */
import { Bell } from '../sessions/bell.ts';
import type { Milliseconds } from '../sessions/session.ts';
import type { Fresh } from './tail.ts';

/** Who follows, for as long as `signal` is not aborted. */
export interface Listener<E> {
  readonly signal: AbortSignal;
  /** Whether what he was sent waits for him to read. */
  readonly isBehind: boolean;
  send(event: E): void;
}

export class Live<E> {
  /** The last turn he has; whoever sends him others says so. */
  seq = 0;
  /** When he was sent something last. */
  toldAt = performance.now();
  readonly #listener: Listener<E>;
  readonly #bell: Bell;
  /** Whether he has all there is but for what comes now. */
  #atEnd = false;

  constructor(listener: Listener<E>) {
    this.#listener = listener;
    this.#bell = new Bell(listener.signal);
  }

  /** Something may have changed: `fresh` turns and nothing else, if there are any. Returns whether he was sent those. */
  ring(fresh?: Fresh<E>): boolean {
    const now = this.#atEnd && fresh?.after === this.seq && !this.#listener.isBehind;
    if (now) this.#send(fresh);
    else this.wake();
    return now;
  }

  /** Ends the wait, or the next one. */
  wake(): void {
    this.#atEnd = false;
    this.#bell.ring();
  }

  /** Waits for anything but turns that he was sent, no longer than `timeout`. `turns`: whether he is to be sent them. */
  async wait(timeout: Milliseconds, turns: boolean): Promise<void> {
    this.#atEnd = turns;
    await this.#bell.rung(timeout);
    this.#atEnd = false;
  }

  #send({ turns }: Fresh<E>): void {
    for (const { seq, event } of turns) {
      this.#listener.send(event);
      this.seq = seq;
    }
    this.toldAt = performance.now();
  }
}
