/**
 * Gives up on commands that take too long.
 *
 * Not by ioredis's `commandTimeout`, which makes a timer for each: commands of
 * one connection are answered in the order they were sent, so that a look at the
 * oldest, now and then, is enough for all.
 */
import type { Milliseconds } from '../sessions/session.ts';

/** The time between two looks: what is given up is given up by so much later than the limit at most. */
const LOOK_INTERVAL: Milliseconds = 50;

/** What may be given up; a command of ioredis is. */
interface Pending {
  /** Whether it was answered, or failed. */
  readonly isSettled: boolean;
  reject(error: Error): void;
}

interface Sent {
  readonly command: Pending;
  readonly at: Milliseconds;
  next: Sent | undefined;
}

export class TimeLimit {
  readonly #limit: Milliseconds;
  #oldest: Sent | undefined;
  #newest: Sent | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(limit: Milliseconds) {
    this.#limit = limit;
  }

  /** Whether all commands are settled. */
  get isIdle(): boolean {
    this.#dropSettled();
    return this.#oldest === undefined;
  }

  /** Rejects the command if it takes longer than the limit. */
  set(command: Pending): void {
    this.#dropSettled();
    const sent: Sent = { command, at: performance.now(), next: undefined };
    if (this.#oldest) this.#newest!.next = sent;
    else this.#oldest = sent;
    this.#newest = sent;
    this.#timer ??= setTimeout(this.#look, LOOK_INTERVAL).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** When it is this process that is late, its timers come before what Redis answered long ago: one more turn is waited for. */
  readonly #look = (): void => {
    setImmediate(() => {
      const late = performance.now() - this.#limit;
      for (;;) {
        this.#dropSettled();
        if (!this.#oldest || this.#oldest.at > late) break;
        this.#oldest.command.reject(new Error('Redis did not answer in time'));
      }
      this.#timer = this.#oldest && setTimeout(this.#look, LOOK_INTERVAL).unref();
    });
  };

  /** What is answered is let go at once, with its arguments. */
  #dropSettled(): void {
    while (this.#oldest?.command.isSettled) this.#oldest = this.#oldest.next;
  }
}
