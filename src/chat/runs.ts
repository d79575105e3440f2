/** What ChatService promises of answers, without gRPC and without Redis. */
import { v7 as uuidv7 } from 'uuid';
import { ParleyError, serverStopping } from '../errors.ts';
import { Bell } from '../sessions/bell.ts';
import { randomBytes } from '../sessions/random.ts';
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import type { Caller, SessionStore } from '../sessions/store.ts';
import { ActiveRun, type RunTools } from './active_run.ts';
import type { Ask } from './ask.ts';
import type { Context } from './context.ts';
import type { Prompt, Prompts } from './prompts.ts';
import { type Hold, type Run, runNotFound, type StartOutcome } from './run.ts';
import type { RunEnding } from './run_ending.ts';
import type { RunEvents, RunReader } from './run_events.ts';
import { checkSize } from './turn_sizes.ts';

/** How long an abandoned run may take to say so. */
const LAST_WORDS: Milliseconds = 2000;

export class Runs {
  readonly #tools: RunTools;
  readonly #prompts: Prompts;
  readonly #events: RunEvents;
  readonly #ending: RunEnding;
  readonly #sessions: SessionStore;
  readonly #active = new Map<ActiveRun, Promise<void>>();
  /** Of those who wait for their turn. */
  readonly #waiting = new Set<Bell>();
  #stopping = false;

  constructor(
    tools: Omit<RunTools, 'pause'>,
    prompts: Prompts,
    events: RunEvents,
    ending: RunEnding,
    sessions: SessionStore,
  ) {
    this.#tools = { ...tools, pause: () => pauseAmong(this.#active.size) };
    this.#prompts = prompts;
    this.#events = events;
    this.#ending = ending;
    this.#sessions = sessions;
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
    const reader = this.#events.reader(key, runId, signal);
    try {
      await reader.look(afterOffset);
      yield* reader.events(afterOffset);
    } finally {
      reader.close();
    }
  }

  /** Whether the answer is made by this process, which does not stop before it ended. */
  makes(runId: string): boolean {
    return [...this.#active.keys()].some((run) => run.runId === runId);
  }

  async get(key: SessionKey, runId: string): Promise<Run> {
    const page = await this.#tools.log.read(key, runId, 0);
    if (!page) throw runNotFound(runId);
    return page.run;
  }

  /** Stops a run, if it still answers; the run as it ended. */
  async cancel(key: SessionKey, runId: string, caller: Caller): Promise<Run> {
    await this.#sessions.recall(key, caller);
    const run = await this.get(key, runId);
    if (run.status === 'RUNNING') await this.#ending.end(key, runId, 'KEEP');
    // A retry finds the run cancelled; what is remembered is that this request id was used for it.
    if (caller.operation) await this.#sessions.mutate(key, caller, () => ({ answer: runId }));
    return run.status === 'RUNNING' ? this.get(key, runId) : run;
  }

  /** Stops the run that somebody reads. */
  async stopReading(key: SessionKey, reader: RunReader): Promise<void> {
    if (!reader.isOver) await this.#ending.end(key, reader.runId, 'KEEP');
  }

  /** The prompt an answer would be made of. */
  async context(key: SessionKey, ask: Ask): Promise<Context> {
    return (await this.#prompts.make(key, ask, 'read')).context;
  }

  /** Starts a run, when it is its turn, or finds the one this call started before; the reader is to be let go. */
  async begin(key: SessionKey, ask: Ask, caller: Caller, signal: AbortSignal): Promise<RunReader> {
    checkSize(ask.turns, 'ask');
    const runId = uuidv7({ random: randomBytes(16) });
    const reader = this.#events.reader(key, runId, signal);
    try {
      const known = await this.#start(key, ask, caller, runId, reader, signal);
      if (known === runId) return reader;
      reader.close();
      const other = this.#events.reader(key, known, signal);
      await other.look(0);
      return other;
    } catch (error) {
      reader.close();
      throw error;
    }
  }

  /** Lets a reader go whose caller is gone or has it all. */
  leave(key: SessionKey, { cancelWhenLost }: Ask, reader: RunReader): void {
    reader.close();
    if (cancelWhenLost) this.stopReading(key, reader).catch(this.#tools.defect);
  }

  /** Lets runs end by themselves for a while, and abandons the rest. */
  async stop(grace: Milliseconds): Promise<void> {
    this.#stopping = true;
    for (const bell of this.#waiting) bell.ring();
    if (await this.#overWithin(grace)) return;
    for (const run of this.#active.keys()) run.abandon();
    await this.#overWithin(LAST_WORDS);
  }

  async #overWithin(time: Milliseconds): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), time);
    });
    const over = Promise.all(this.#active.values()).then(() => true);
    const inTime = await Promise.race([over, late]);
    clearTimeout(timer);
    return inTime;
  }

  /** The id of the run that answers. */
  async #start(
    key: SessionKey,
    ask: Ask,
    caller: Caller,
    runId: string,
    reader: RunReader,
    signal: AbortSignal,
  ): Promise<string> {
    const { log } = this.#tools;
    const ticket = ask.concurrency === 'ENQUEUE' ? runId : undefined;
    const bell = new Bell(signal);
    let hangUp = () => {};
    let waits = false;
    try {
      for (;;) {
        caller.throwIfOver();
        if (this.#stopping) throw serverStopping();
        const making = this.#prompts.make(key, ask, 'write');
        making.catch(() => {}); // it may be a retry, and then no longer matters
        const [known] = await Promise.all([log.recall(key, caller), reader.listen()]);
        if (known) return known;
        const prompt = await making;
        const outcome = await log.start(key, this.#runStart(runId, ask, prompt, ticket), caller);
        if (outcome.kind === 'started') {
          waits = false;
          this.#answer(key, outcome.hold, prompt);
          return runId;
        }
        if (outcome.kind === 'replay') return outcome.runId;
        if (outcome.kind === 'waiting') {
          if (!waits) hangUp = await log.listen(key, () => bell.ring());
          if (waits) await bell.rung(log.lease / 3);
          this.#waiting.add(bell);
          waits = true;
        } else {
          await this.#makeWay(key, ask, outcome);
        }
      }
    } finally {
      this.#waiting.delete(bell);
      hangUp();
      if (waits && ticket) log.leave(key, ticket).catch(() => {}); // or it passes by itself
    }
  }

  /** Ends the run that is in the way, if it may be ended. */
  async #makeWay(key: SessionKey, { concurrency }: Ask, outcome: InTheWay): Promise<void> {
    if (outcome.kind === 'moved') return;
    if (outcome.kind === 'expired') await this.#ending.endExpired(key);
    else if (concurrency === 'INTERRUPT') await this.#ending.end(key, outcome.runId, 'KEEP');
    else throw runInProgress(outcome.runId);
  }

  #runStart(runId: string, { turns, concurrency }: Ask, prompt: Prompt, ticket: string | undefined) {
    const { participantId, generation, lastTurnSeq } = prompt;
    const { model } = generation;
    return {
      runId,
      model,
      participantId,
      turns,
      lastTurnSeq,
      started: this.#tools.encoder.started(runId, model, participantId),
      ticket,
      first: concurrency === 'INTERRUPT',
    };
  }

  /** Makes the answer, whoever waits for it. */
  #answer(key: SessionKey, hold: Hold, prompt: Prompt): void {
    const { participantId, generation } = prompt;
    const run = new ActiveRun(this.#tools, key, hold, { participantId, model: generation.model });
    const over = run.answer((held, signal) => this.#prompts.answer(key, held, prompt, signal));
    this.#active.set(
      run,
      over.finally(() => this.#active.delete(run)),
    );
  }
}

type InTheWay = Exclude<StartOutcome, { kind: 'started' | 'replay' | 'waiting' }>;

/** How long deltas are gathered: a few milliseconds, and longer where hundreds of runs share a process. */
function pauseAmong(runs: number): Milliseconds {
  return Math.min(8 + runs / 5, 100);
}

/** ABORTED `RUN_IN_PROGRESS`. */
function runInProgress(runId: string): ParleyError {
  const which = runId === '' ? 'another run is about to answer' : `run ${JSON.stringify(runId)} is answering`;
  return new ParleyError('RUN_IN_PROGRESS', which, {
    ...(runId !== '' && { resource: { type: 'parley.v1.Run', name: runId } }),
  });
}
