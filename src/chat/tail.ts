/**
 * The end of a session's log, as one process knows it: shared by all who follow
 * the session here, so that a turn comes from Redis once and is encoded once.
 *
 * What it knows, it knows from news, which come with the turns and in order, or
 * from looking, which it does whenever news may have been missed. Only the
 * newest turns are kept; who is further behind reads the log itself.
 */
import { isUnavailable } from '../errors.ts';
import { untilEnd } from '../sessions/bell.ts';
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import { type Frame, type StoredTurn, splitFrames } from './frames.ts';
import { Newest, type Numbered } from './newest.ts';
import {
  type Epoch,
  type LogState,
  type NewestRun,
  type News,
  STATE_ONLY,
  sameEpoch,
  type TurnLog,
  type TurnPage,
} from './turns.ts';

/** What is kept of the newest turns. */
const RECENT = { items: 64, bytes: 64 * 1024 };
/** Runs that are remembered for those who have not looked yet. */
const RECENT_RUNS = 16;
/** What is read of the log at once for somebody behind: all he ever costs. */
const PAGE = { direction: 'FORWARD', count: 100, bytes: 256 * 1024 } as const;
/** How soon to look again when Redis was away. */
const LOOK_AGAIN: Milliseconds = 250;
const LONGEST_TIMER: Milliseconds = 0x7fff_ffff;

/** Makes of a turn, or of its frame, what all followers are sent for it. */
export interface Presenter<E> {
  turn(frame: Frame, epoch: Epoch): E;
  newTurn(turn: StoredTurn, epoch: Epoch): E;
}

/** A turn, and what followers are sent for it. */
export interface Shared<E> extends Numbered {
  readonly event: E;
}

/** Turns that just came, and what they come after. */
export interface Fresh<E> {
  readonly after: number;
  readonly turns: readonly Shared<E>[];
}

export interface SharedPage<E> {
  readonly state: LogState;
  readonly turns: readonly Shared<E>[];
}

/** `fresh`: when turns came, and nothing else has changed. Returns whether who is rung for has them now. */
type Ring<E> = (fresh?: Fresh<E>) => boolean;

export class Tail<E> {
  readonly #log: TurnLog;
  readonly #key: SessionKey;
  readonly #present: Presenter<E>;
  readonly #bells = new Set<Ring<E>>();
  /** The newest turns, as long as somebody may come for them. */
  readonly #recent = new Newest<Shared<E>>(RECENT);
  /** The newest runs that were heard of. */
  readonly #runs: NewestRun[] = [];
  #runCount = 0;
  /** Pages on their way: followers who are equally far behind read one. */
  readonly #pages = new Map<number, Promise<SharedPage<E> | undefined>>();
  #listening: Promise<() => void> | undefined;
  #state: LogState | undefined;
  #gone = false;
  /** What nobody waited for and nobody foresaw. */
  #defect: { readonly error: unknown } | undefined;
  /** Counts the news, so that a look that was overtaken by them is known. */
  #heard = 0;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(log: TurnLog, key: SessionKey, present: Presenter<E>) {
    this.#log = log;
    this.#key = key;
    this.#present = present;
  }

  /** How the log ends; undefined when the session is gone. */
  get state(): LogState | undefined {
    if (this.#defect) throw this.#defect.error;
    return this.#gone ? undefined : this.#state;
  }

  /** Whether nobody can follow here any more. */
  get isOver(): boolean {
    return this.#gone || this.#defect !== undefined;
  }

  /** Adds a follower, who is rung for whenever something may have changed. Returns how to take him off. */
  join(ring: Ring<E>): () => void {
    this.#bells.add(ring);
    return () => {
      this.#bells.delete(ring);
      if (this.#bells.size === 0) this.#close();
    };
  }

  get isFollowed(): boolean {
    return this.#bells.size > 0;
  }

  /** Returns when the state is that of now, or later. */
  async look(): Promise<void> {
    // Listening before the first look: what happens in between is heard.
    this.#listening ??= this.#log.listen(this.#key, (news) => this.#hear(news));
    await this.#listening;
    if (this.#looking) this.#lookAgain = true;
    this.#looking ??= this.#look();
    await this.#looking;
  }

  /** The turns that come after a seq, as far as they are at hand. */
  after(seq: number): readonly Shared<E>[] {
    return this.#recent.after(seq);
  }

  /** How many runs were heard of. */
  get runCount(): number {
    return this.#runCount;
  }

  /** The runs that were heard of after so many others. */
  runsAfter(count: number): readonly NewestRun[] {
    return count === this.#runCount ? [] : this.#runs.slice(count - this.#runCount);
  }

  /** Turns after a seq, from the log. */
  read(seq: number): Promise<SharedPage<E> | undefined> {
    let page = this.#pages.get(seq);
    if (!page) {
      const heard = this.#heard;
      page = this.#log.read(this.#key, { ...PAGE, afterSeq: seq }).then((read) => {
        this.#learn(read?.state, heard); // there may be turns in it that no news has come of yet
        return read && this.#shared(read);
      });
      this.#pages.set(seq, page);
      const forget = () => this.#pages.delete(seq);
      page.then(forget, forget);
    }
    return page;
  }

  #shared({ state, frames }: TurnPage): SharedPage<E> {
    const turns = splitFrames(frames).map((frame) => ({
      seq: frame.seq,
      event: this.#present.turn(frame, state.epoch),
      bytes: frame.frame.length,
    }));
    return { state, turns };
  }

  async #look(): Promise<void> {
    try {
      do {
        this.#lookAgain = false;
        const heard = this.#heard;
        const page = await this.#log.read(this.#key, STATE_ONLY);
        if (this.#learn(page?.state, heard) === 'late') this.#lookAgain = true;
      } while (this.#lookAgain);
    } finally {
      this.#looking = undefined; // at once, so that nobody waits for a look that is over
    }
  }

  /** Takes over what the log said, `heard` being the news that had come when it was asked; late when others were faster. */
  #learn(state: LogState | undefined, heard: number): 'learnt' | 'late' {
    const known = this.#state;
    if (!state || state.deleted || (known && known.epoch.created !== state.epoch.created)) {
      this.#gone = true; // gone, or gone and made anew: to its followers the session is deleted
      this.#ring();
      return 'learnt';
    }
    const same = known !== undefined && sameEpoch(known.epoch, state.epoch);
    if (same && state.lastTurnSeq < known.lastTurnSeq && heard !== this.#heard) return 'late';
    if (!same || state.lastTurnSeq < known.lastTurnSeq) this.#recent.forget();
    this.#state = state;
    if (state.run) this.#hearOf(state.run);
    this.#watchEnd(state);
    this.#ring();
    return 'learnt';
  }

  #hear(news: News | undefined): void {
    const state = this.#state;
    if (!news || !state || !sameEpoch(news.epoch, state.epoch) || news.after > state.lastTurnSeq) {
      void this.#lookSoon();
      return;
    }
    if (news.after < state.lastTurnSeq) return; // known already: looking was faster
    this.#heard++;
    const { after } = news;
    const turns = news.turns.map((turn) => ({
      seq: turn.seq,
      event: this.#present.newTurn(turn, state.epoch),
      bytes: turn.body.length,
    }));
    const last = turns.at(-1)?.seq ?? after;
    this.#state = { ...state, lastTurnSeq: last, lastSeq: last };
    if (news.runId !== '')
      this.#hearOf({ runId: news.runId, askedSeq: last, epochNumber: state.epoch.number, active: true });
    if (this.#ring({ after, turns })) this.#recent.forget();
    else this.#recent.add(after, turns);
  }

  #hearOf(run: NewestRun): void {
    // A page that was asked for before the news of a run came may tell of the one before it.
    if (this.#runs.some(({ runId }) => runId === run.runId)) return;
    this.#runs.push(run);
    this.#runCount++;
    if (this.#runs.length > RECENT_RUNS) this.#runs.shift();
  }

  /** Looks until it succeeds: nobody waits for this one, but whoever follows counts on it. */
  async #lookSoon(): Promise<void> {
    try {
      await this.look();
    } catch (error) {
      if (isUnavailable(error)) return this.#wait(LOOK_AGAIN);
      this.#defect = { error };
      this.#ring();
    }
  }

  /** Time to live rings no bell. */
  #watchEnd({ ends }: LogState): void {
    clearTimeout(this.#timer);
    if (ends !== undefined) this.#wait(untilEnd(ends));
  }

  #wait(time: Milliseconds): void {
    clearTimeout(this.#timer);
    if (!this.isFollowed) return;
    this.#timer = setTimeout(() => void this.#lookSoon(), Math.min(time, LONGEST_TIMER));
  }

  /** Returns whether everybody has the fresh turns now. */
  #ring(fresh?: Fresh<E>): boolean {
    let all = true;
    for (const ring of this.#bells) all = ring(fresh) && all;
    return all;
  }

  #close(): void {
    clearTimeout(this.#timer);
    void this.#listening?.then((hangUp) => hangUp());
    this.#listening = undefined;
    this.#state = undefined;
    this.#recent.forget();
  }
}
