/**
 * Gives up on commands that take too long, when Redis is silent.
 *
 * While anything comes it is not: then it has much to do, or we are late to read
 * what it said, and giving up would only add to that.
 *
 * Not by ioredis's `commandTimeout`, which makes a timer for each: commands of
 * one connection are answered in the order they were sent, so that a look at the
 * oldest, now and then, is enough for all.
 */
import type { Milliseconds } from '../sessions/session.ts';

/** The time between two looks: what is given up is given up by so much later than the limit at most. */
const LOOK_INTERVAL: Milliseconds = 50;

/** As long as Redis is heard of, a command may take so many times the limit. */
const PATIENCE = 10;

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
  /** When something last came of Redis. */
  #heardAt: Milliseconds = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(limit: Milliseconds) {
    this.#limit = limit;
  }

  /** Whether all commands are settled. */
  get isIdle(): boolean {
    this.#dropSettled();
    return this.#oldest === undefined;
  }

  /** Something came of Redis, be it a part of a long answer. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  /** Rejects the command if it takes longer than the limit, and Redis has been silent for as long. */
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
      this.#dropSettled();
      const now = performance.now();
      const late = now - this.#limit * (now - this.#heardAt < this.#limit ? PATIENCE : 1);
      for (; this.#oldest && this.#oldest.at <= late; this.#drop(this.#oldest)) {
        if (!this.#oldest.command.isSettled)
          this.#oldest.command.reject(new Error('Redis did not answer in time'));
      }
      this.#timer = this.#oldest && setTimeout(this.#look, LOOK_INTERVAL).unref();
    });
  };

  /** What is answered is let go at once, with its arguments. */
  #dropSettled(): void {
    while (this.#oldest?.command.isSettled) this.#drop(this.#oldest);
  }

  /** One that is old to the garbage collector must not keep alive those behind it. */
  #drop(oldest: Sent): void {
    this.#oldest = oldest.next;
    oldest.next = undefined;
  }
}
