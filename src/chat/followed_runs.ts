/** The runs of a session, for one who follows its log: their events, in the places of the log where they belong. */
import { ParleyError } from '../errors.ts';
import type { SessionKey } from '../sessions/session.ts';
import { eventsAfter, type RunEvents } from './run_events.ts';
import type { RunTail } from './run_tail.ts';
import type { Epoch, NewestRun } from './turns.ts';

interface Followed {
  /** The last turn there was when it began. */
  readonly askedSeq: number;
  readonly tail: RunTail;
  readonly leave: () => void;
  /** Of the last event that was told. */
  offset: number;
}

export class FollowedRuns {
  readonly #events: RunEvents;
  readonly #key: SessionKey;
  readonly #ring: () => void;
  #waiting: NewestRun[] = [];
  #current: Followed | undefined;

  /** `ring`: for whenever there may be more. */
  constructor(events: RunEvents, key: SessionKey, ring: () => void) {
    this.#events = events;
    this.#key = key;
    this.#ring = ring;
  }

  /** Takes up runs that began. */
  add(runs: readonly NewestRun[]): void {
    this.#waiting.push(...runs);
  }

  /** The log began anew: what was asked before is there no more. */
  reset(epoch: Epoch): void {
    this.#drop();
    this.#waiting = this.#waiting.filter(({ epochNumber }) => epochNumber === epoch.number);
  }

  /**
   * The next events, as frames, for one who has all turns through a seq: a run's begin when he has what it was
   * asked, and end when he has what it left.
   */
  next(seq: number): Promise<readonly Uint8Array[]> {
    return this.#unlessGone(() => this.#next(seq));
  }

  /** What is left of the run that was told of, for one whose log began anew: no run survives that. */
  rest(): Promise<readonly Uint8Array[]> {
    return this.#unlessGone(() => this.#rest());
  }

  /**
   * The last turn to be told before a run's events are looked for again, to one who has all turns through a seq and
   * can be told those through `last`: what a run was asked, or what it left. The turns may have been faster than the
   * news of a run, so it is looked up whether it answers still; if so, what it will leave is none of them.
   */
  async turnsUntil(seq: number, last: number): Promise<number> {
    const run = this.#current;
    if (run && run.tail.turnSeq === undefined) {
      await this.#unlessGone(async () => {
        await run.tail.look();
        return [];
      });
      const isOver = this.#current === run && run.tail.turnSeq !== undefined;
      // All its events but the last come before what it left.
      if (isOver && run.tail.lastOffset - run.offset > 1) return seq;
    }
    let until = last;
    for (const place of [this.#current?.tail.turnSeq, this.#waiting[0]?.askedSeq]) {
      if (place !== undefined && place > seq) until = Math.min(until, place);
    }
    return until;
  }

  close(): void {
    this.#drop();
  }

  async #next(seq: number): Promise<readonly Uint8Array[]> {
    const run = this.#current ?? (await this.#take(seq));
    if (!run || run.askedSeq > seq) return [];
    const { tail } = run;
    if (run.offset === tail.lastOffset) return [];
    let events = await eventsAfter(tail, run.offset);
    const { lastOffset, turnSeq } = tail;
    const hasLast = turnSeq !== undefined && run.offset + events.length === lastOffset;
    if (hasLast && turnSeq > seq) events = events.slice(0, -1);
    else if (hasLast) this.#drop();
    run.offset += events.length;
    return events;
  }

  async #rest(): Promise<readonly Uint8Array[]> {
    const run = this.#current;
    if (!run || run.offset === 0) return [];
    if (run.tail.turnSeq === undefined) await run.tail.look();
    if (run.offset === run.tail.lastOffset) return [];
    const events = await eventsAfter(run.tail, run.offset);
    run.offset += events.length;
    return events;
  }

  /** Nothing, when the run's events are no longer kept, or its session is gone: of that the log tells. */
  async #unlessGone(events: () => Promise<readonly Uint8Array[]>): Promise<readonly Uint8Array[]> {
    try {
      return await events();
    } catch (error) {
      if (!(error instanceof ParleyError && /^(RUN|SESSION)_/.test(error.reason))) throw error;
      this.#drop();
      return [];
    }
  }

  async #take(seq: number): Promise<Followed | undefined> {
    const next = this.#waiting[0];
    if (!next || next.askedSeq > seq) return undefined;
    this.#waiting.shift();
    const { tail, leave } = this.#events.join(this.#key, next.runId, this.#ring);
    this.#current = { askedSeq: next.askedSeq, tail, leave, offset: 0 };
    await tail.look();
    return this.#current;
  }

  #drop(): void {
    this.#current?.leave();
    this.#current = undefined;
    if (this.#waiting.length > 0) this.#ring();
  }
}
