/**
 * The end of a run's events, as one process knows it: shared by all who follow
 * the run here, so that an event comes from Redis once. The newest are kept;
 * who is further behind reads the log itself.
 */
import { isOf, isUnavailable, sessionDeleted } from '../errors.ts';
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import { splitFrames } from './frames.ts';
import { Newest, type Numbered } from './newest.ts';
import { type RunLog, type RunNews, type RunPage, runNotFound } from './run.ts';

/** What is kept of the newest events. */
const RECENT = { items: Number.POSITIVE_INFINITY, bytes: 128 * 1024 };
/** How soon to look again when Redis was away. */
const LOOK_AGAIN: Milliseconds = 250;

export class RunTail {
  readonly #log: RunLog;
  readonly #key: SessionKey;
  readonly #runId: string;
  readonly #bells = new Set<() => void>();
  /** The newest events, by offset. */
  readonly #recent = new Newest<Numbered & { readonly frame: Uint8Array }>(RECENT);
  /** Pages on their way: followers who are equally far behind read one. */
  readonly #pages = new Map<number, Promise<RunPage>>();
  #listening: Promise<() => void> | undefined;
  #lastOffset = 0;
  #turnSeq: number | undefined;
  #error: { readonly error: unknown } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(log: RunLog, key: SessionKey, runId: string) {
    this.#log = log;
    this.#key = key;
    this.#runId = runId;
  }

  /** The offset of the last event there is; throws when there is no such run any more. */
  get lastOffset(): number {
    if (this.#error) throw this.#error.error;
    return this.#lastOffset;
  }

  /** The turn the run left, 0 when none; undefined while it answers. */
  get turnSeq(): number | undefined {
    return this.#turnSeq;
  }

  /** Adds a follower, who is rung for whenever there may be more. Returns how to take him off. */
  join(ring: () => void): () => void {
    this.#bells.add(ring);
    return () => {
      this.#bells.delete(ring);
      if (this.#bells.size === 0) this.#close();
    };
  }

  get isFollowed(): boolean {
    return this.#bells.size > 0;
  }

  /** Hears of what is written from now on. */
  async listen(): Promise<void> {
    this.#listening ??= this.#log.listen(this.#key, (news) => this.hear(news));
    await this.#listening;
  }

  /** Returns when everything is known that was written before. */
  async look(): Promise<void> {
    await this.listen();
    // A page on its way may have been asked for before.
    await this.#pages.get(this.#lastOffset)?.catch(() => {});
    await this.read(this.#lastOffset);
  }

  /** The events after an offset, as far as they are at hand. */
  after(offset: number): Uint8Array[] {
    return this.#recent.after(offset).map(({ frame }) => frame);
  }

  /** Events after an offset, from the log. */
  read(offset: number): Promise<RunPage> {
    let page = this.#pages.get(offset);
    if (!page) {
      page = this.#read(offset);
      this.#pages.set(offset, page);
      const forget = () => this.#pages.delete(offset);
      page.then(forget, forget);
    }
    return page;
  }

  async #read(offset: number): Promise<RunPage> {
    try {
      const page = await this.#log.read(this.#key, this.#runId, offset);
      if (!page) throw runNotFound(this.#runId);
      const { run } = page;
      if (run.lastOffset > this.#lastOffset) this.#lastOffset = run.lastOffset;
      if (run.status !== 'RUNNING') this.#turnSeq = run.turnSeq;
      return page;
    } catch (error) {
      const gone = this.#lastOffset > 0 && isOf(error, 'SESSION_NOT_FOUND');
      throw gone ? sessionDeleted(this.#key.sessionId, 'read') : error; // it was there before
    }
  }

  /** Takes what was written, which may be known already; undefined: one has to look. */
  hear(news: RunNews | undefined): void {
    if (news && news.runId !== this.#runId) return;
    if (!news?.frames || news.offset > this.#lastOffset + 1) {
      void this.#lookSoon();
      return;
    }
    const before = this.#lastOffset;
    const events = splitFrames(news.frames).filter(({ seq }) => seq > before);
    this.#lastOffset = events.at(-1)?.seq ?? before;
    this.#recent.add(
      before,
      events.map(({ seq, frame }) => ({ seq, frame, bytes: frame.length })),
    );
    if (news.turnSeq !== undefined) this.#turnSeq = news.turnSeq;
    else if (events.length === 0) return;
    this.#ring();
  }

  /** Looks until it succeeds: nobody waits for this one, but whoever follows counts on it. */
  async #lookSoon(): Promise<void> {
    const wasThere = this.#lastOffset > 0;
    try {
      await this.look();
    } catch (error) {
      if (isUnavailable(error)) {
        clearTimeout(this.#timer);
        if (this.isFollowed) this.#timer = setTimeout(() => void this.#lookSoon(), LOOK_AGAIN);
        return;
      }
      if (!wasThere && isOf(error, 'RUN_NOT_FOUND')) return; // it was about to start
      this.#error = { error };
    }
    this.#ring();
  }

  #ring(): void {
    for (const ring of this.#bells) ring();
  }

  #close(): void {
    clearTimeout(this.#timer);
    void this.#listening?.then((hangUp) => hangUp());
    this.#listening = undefined;
  }
}
