/** Follows the events of runs: every event once and in order, until the last. */
import { fieldInvalid } from '../errors.ts';
import { Bell } from '../sessions/bell.ts';
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import { splitFrames } from './frames.ts';
import type { RunLog, RunNews } from './run.ts';
import { RunTail } from './run_tail.ts';

/** How long nothing may be heard of a run before one looks: a session that expires rings no bell. */
const LOOK: Milliseconds = 15_000;

export class RunEvents {
  readonly #log: RunLog;
  readonly #tails = new Map<string, RunTail>();

  constructor(log: RunLog) {
    this.#log = log;
  }

  /** The tail of a run, for one who is rung for from now on. */
  join(key: SessionKey, runId: string, ring: () => void): { tail: RunTail; leave: () => void } {
    const name = nameOf(key, runId);
    const tail = this.#tails.get(name) ?? new RunTail(this.#log, key, runId);
    this.#tails.set(name, tail);
    const part = tail.join(ring);
    const leave = () => {
      part();
      if (!tail.isFollowed && this.#tails.get(name) === tail) this.#tails.delete(name);
    };
    return { tail, leave };
  }

  /** What this process has written itself. */
  tell(key: SessionKey, news: RunNews): void {
    this.#tails.get(nameOf(key, news.runId))?.hear(news);
  }

  /** Somebody to read a run, by whom it is closed. */
  reader(key: SessionKey, runId: string, signal: AbortSignal): RunReader {
    const bell = new Bell(signal);
    const { tail, leave } = this.join(key, runId, () => bell.ring());
    return new RunReader(runId, tail, bell, signal, leave);
  }
}

function nameOf({ namespace, sessionId }: SessionKey, runId: string): string {
  return `${namespace}/${sessionId} ${runId}`;
}

/** One who follows one run. */
export class RunReader {
  readonly runId: string;
  readonly #tail: RunTail;
  readonly #bell: Bell;
  readonly #signal: AbortSignal;
  readonly #leave: () => void;

  constructor(runId: string, tail: RunTail, bell: Bell, signal: AbortSignal, leave: () => void) {
    this.runId = runId;
    this.#tail = tail;
    this.#bell = bell;
    this.#signal = signal;
    this.#leave = leave;
  }

  /** Hears of a run that is about to start, and so need not look what there is of it. */
  listen(): Promise<void> {
    return this.#tail.listen();
  }

  /** Looks what there is of the run; throws when there is none. */
  async look(afterOffset: number): Promise<void> {
    await this.#tail.look();
    const last = this.#tail.lastOffset;
    if (afterOffset > last) throw fieldInvalid('after_offset', `beyond the last event, ${last}`);
  }

  /** Whether the run is over. */
  get isOver(): boolean {
    return this.#tail.turnSeq !== undefined;
  }

  /** The events after an offset as frames, several where several are ready. */
  async *events(afterOffset: number): AsyncGenerator<readonly Uint8Array[]> {
    for (let offset = afterOffset; ; ) {
      if (offset < this.#tail.lastOffset) {
        const events = await eventsAfter(this.#tail, offset);
        this.#signal.throwIfAborted();
        offset += events.length;
        yield events;
      } else if (this.isOver) {
        return;
      } else if ((await this.#bell.rung(LOOK)) === 'quiet') {
        await this.#tail.look();
      }
    }
  }

  close(): void {
    this.#leave();
  }
}

/** The events after an offset, from the tail or from the log. */
export async function eventsAfter(tail: RunTail, offset: number): Promise<readonly Uint8Array[]> {
  const recent = tail.after(offset);
  if (recent.length > 0) return recent;
  const { frames } = await tail.read(offset);
  return splitFrames(frames).map(({ frame }) => frame);
}
