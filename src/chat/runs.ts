/** What ChatService promises of answers, without gRPC and without Redis. */
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { isOf, isUnavailable, sessionDeleted } from '../errors.ts';
import { randomBytes } from '../sessions/random.ts';
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import type { Caller, SessionStore } from '../sessions/store.ts';
import type { ActiveRuns } from './active_runs.ts';
import type { Ask } from './ask.ts';
import type { Context } from './context.ts';
import type { Prompts } from './prompts.ts';
import { type Run, type RunLog, runNotFound } from './run.ts';
import type { RunEnding } from './run_ending.ts';
import type { RunEvents, RunReader } from './run_events.ts';
import type { RunStarter } from './run_starter.ts';
import { checkSize } from './turn_sizes.ts';

/** What runs are served with. */
export interface RunsTools {
  readonly log: RunLog;
  readonly prompts: Prompts;
  readonly events: RunEvents;
  readonly ending: RunEnding;
  readonly active: ActiveRuns;
  readonly starter: RunStarter;
  readonly sessions: SessionStore;
  /** Tells of an error nobody foresaw. */
  readonly defect: (error: unknown) => void;
}

const CANCEL_AGAIN: Milliseconds = 500;

export class Runs {
  readonly #tools: RunsTools;
  #stopped = false;

  constructor(tools: RunsTools) {
    this.#tools = tools;
  }

  /** Asks, and follows the answer; `signal` ends the following only. `begun`: tells which run it is. */
  async *chat(
    key: SessionKey,
    ask: Ask,
    caller: Caller,
    signal: AbortSignal,
    begun: (runId: string) => void,
  ): AsyncGenerator<readonly Uint8Array[]> {
    const reader = await this.begin(key, ask, caller, signal);
    begun(reader.runId);
    try {
      yield* reader.events(0);
    } finally {
      this.leave(key, ask, reader);
    }
  }

  /** Follows a run after an offset. */
  async *resume(
    key: SessionKey,
    runId: string,
    afterOffset: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Uint8Array[]> {
    const reader = this.#tools.events.reader(key, runId, signal);
    try {
      await reader.look(afterOffset);
      yield* reader.events(afterOffset);
    } finally {
      reader.close();
    }
  }

  /** Whether the answer is made by this process, which does not stop before it ended. */
  makes(runId: string): boolean {
    return this.#tools.active.has(runId);
  }

  async get(key: SessionKey, runId: string): Promise<Run> {
    const page = await this.#tools.log.read(key, runId, 0);
    if (!page) throw runNotFound(runId);
    return page.run;
  }

  /** Stops a run, if it still answers; the run as it ended. */
  async cancel(key: SessionKey, runId: string, caller: Caller): Promise<Run> {
    await this.#tools.sessions.recall(key, caller);
    const run = await this.get(key, runId).catch((error) => {
      throw isOf(error, 'SESSION_DELETED') ? sessionDeleted(key.sessionId, 'write') : error;
    });
    if (run.status === 'RUNNING') await this.#tools.ending.end(key, runId, 'KEEP');
    // A retry finds the run cancelled; what is remembered is that this request id was used for it.
    if (caller.operation) await this.#tools.sessions.mutate(key, caller, () => ({ answer: runId }));
    return run.status === 'RUNNING' ? this.get(key, runId) : run;
  }

  /** Stops the run that somebody reads. */
  async stopReading(key: SessionKey, reader: RunReader): Promise<void> {
    if (!reader.isOver) await this.#tools.ending.end(key, reader.runId, 'KEEP');
  }

  /** The prompt an answer would be made of. */
  async context(key: SessionKey, ask: Ask, caller: Caller): Promise<Context> {
    return (await this.#tools.prompts.make(key, ask, caller, 'read')).context;
  }

  /** Starts a run, when it is its turn, or finds the one this call started before; the reader is to be let go. */
  async begin(key: SessionKey, ask: Ask, caller: Caller, signal: AbortSignal): Promise<RunReader> {
    checkSize(ask.turns, 'ask');
    const runId = uuidv7({ random: randomBytes(16) });
    const reader = this.#tools.events.reader(key, runId, signal);
    try {
      const known = await this.#tools.starter.start({
        key,
        runId,
        ask,
        caller,
        signal,
        listening: () => reader.listen(),
      });
      if (known === runId) return reader;
      reader.close();
      return await this.#readerOf(key, known, signal);
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  async #readerOf(key: SessionKey, runId: string, signal: AbortSignal): Promise<RunReader> {
    const reader = this.#tools.events.reader(key, runId, signal);
    try {
      await reader.look(0);
      return reader;
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  /** Lets a reader go whose caller is gone or has it all. */
  leave(key: SessionKey, { cancelWhenLost }: Ask, reader: RunReader): void {
    reader.close();
    if (cancelWhenLost) this.#cancelLost(key, reader).catch(this.#tools.defect);
  }

  /** Lets runs end by themselves for a while, and abandons the rest. */
  async stop(grace: Milliseconds): Promise<void> {
    await this.#tools.starter.stop();
    await this.#tools.active.stop(grace);
    this.#stopped = true;
  }

  /** Nobody waits for this, and so it does not give up while Redis is away. */
  async #cancelLost(key: SessionKey, reader: RunReader): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.stopReading(key, reader);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        await sleep(CANCEL_AGAIN, undefined, { ref: false });
      }
    }
  }
}
