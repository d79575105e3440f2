/** Starts runs: when it is their turn, out of the way of others or others out of theirs, and each once. */
import { ParleyError, serverStopping } from '../errors.ts';
import { Bell } from '../sessions/bell.ts';
import type { SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import type { ActiveRuns } from './active_runs.ts';
import type { Ask } from './ask.ts';
import type { Prompt, Prompts } from './prompts.ts';
import type { RunLog, RunNews, RunStart, StartOutcome } from './run.ts';
import type { RunEncoder } from './run_encoder.ts';
import type { RunEnding } from './run_ending.ts';

/** What runs are started with. */
export interface StarterTools {
  readonly log: RunLog;
  readonly encoder: RunEncoder;
  readonly prompts: Prompts;
  readonly ending: RunEnding;
  readonly active: ActiveRuns;
}

/** A run to be, and who wants it. */
export interface Start {
  readonly key: SessionKey;
  readonly runId: string;
  readonly ask: Ask;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** Settles when whoever wants the run would hear of it. */
  readonly listening: () => Promise<void>;
}

export class RunStarter {
  readonly #tools: StarterTools;
  /** Of those who wait for their turn. */
  readonly #waiting = new Set<Bell>();
  readonly #underWay = new Set<Promise<unknown>>();
  /** The sessions whose model is asked before their run has started. */
  readonly #early = new Set<string>();
  #stopping = false;

  constructor(tools: StarterTools) {
    this.#tools = tools;
  }

  /** The id of the run that answers: this one, or the one the same call started before. */
  async start(start: Start): Promise<string> {
    const { key, runId, ask, signal } = start;
    const { log } = this.#tools;
    const ticket = ask.concurrency === 'ENQUEUE' ? runId : undefined;
    const bell = new Bell(signal);
    let hangUp = () => {};
    let waits = false;
    try {
      for (;;) {
        const outcome = await this.#attempt(start, ticket);
        if (outcome.kind === 'started') waits = false;
        if (outcome.kind === 'started' || outcome.kind === 'replay') return outcome.runId;
        if (outcome.kind !== 'waiting') {
          await this.#makeWay(key, ask, outcome);
          continue;
        }
        if (waits) await bell.rung(log.lease / 3);
        else hangUp = await log.listen(key, (news) => mayBeItsTurn(news) && bell.ring());
        this.#waiting.add(bell);
        waits = true;
      }
    } finally {
      this.#waiting.delete(bell);
      hangUp();
      if (waits && ticket) log.leave(key, ticket).catch(() => {}); // or it passes by itself
    }
  }

  /** Starts no more; returns when those under way have started, or not. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const bell of this.#waiting) bell.ring();
    await Promise.allSettled(this.#underWay);
  }

  /** Who can wait looks first whether it is his turn: a prompt that nobody is asked with is made in vain. */
  async #attempt(start: Start, ticket: string | undefined): Promise<Tried> {
    const { key, caller } = start;
    caller.throwIfOver();
    if (this.#stopping) throw serverStopping();
    const place = ticket && (await this.#tools.log.queue(key, ticket, caller));
    return place && place.kind !== 'free' ? place : this.#try(start, ticket);
  }

  async #try(start: Start, ticket: string | undefined): Promise<Tried> {
    const { key, ask, caller, listening } = start;
    const { log, prompts } = this.#tools;
    const making = prompts.make(key, ask, caller, 'write');
    making.catch(() => {}); // it may be a retry, and then no longer matters
    const [known, waiting] = await Promise.all([log.recall(key, caller), log.waiting(key), listening()]);
    if (known) return { kind: 'replay', runId: known };
    const prompt = await making;
    if (this.#stopping) throw serverStopping();
    const starting = this.#begin(start, prompt, ticket, prompt.isIdle && waiting === 0);
    this.#underWay.add(starting);
    return starting.finally(() => this.#underWay.delete(starting));
  }

  async #begin(
    { key, runId, ask, caller }: Start,
    prompt: Prompt,
    ticket: string | undefined,
    isFree: boolean,
  ): Promise<Tried> {
    const { log, prompts, active } = this.#tools;
    const starting = log.start(key, this.#runStart(runId, ask, prompt, ticket), caller);
    const session = `${key.namespace}/${key.sessionId}`;
    // Of those who ask at once one starts, and only that one's model is asked.
    const isFirst = isFree && !this.#early.has(session) && !active.answers(key);
    const early = isFirst ? prompts.answerEarly(prompt) : undefined;
    if (early) this.#early.add(session);
    let begun = false;
    try {
      const outcome = await starting;
      if (outcome.kind !== 'started') return outcome;
      active.add(key, outcome.hold, prompt, early);
      begun = true;
      return { kind: 'started', runId };
    } finally {
      if (early) this.#early.delete(session);
      if (!begun) early?.drop();
    }
  }

  /** Ends the run that is in the way, if it may be ended. */
  async #makeWay(key: SessionKey, { concurrency }: Ask, outcome: InTheWay): Promise<void> {
    const { ending } = this.#tools;
    if (outcome.kind === 'moved') return;
    if (outcome.kind === 'expired') await ending.endExpired(key);
    else if (concurrency === 'INTERRUPT') await ending.end(key, outcome.runId, 'KEEP');
    else throw runInProgress(outcome.runId);
  }

  #runStart(
    runId: string,
    { turns, concurrency }: Ask,
    prompt: Prompt,
    ticket: string | undefined,
  ): RunStart {
    const { participantId, generation, lastTurnSeq } = prompt;
    const { model } = generation;
    const started = this.#tools.encoder.started(runId, model, participantId);
    const first = concurrency === 'INTERRUPT';
    return { runId, model, participantId, turns, lastTurnSeq, started, ticket, first };
  }
}

type InTheWay = Exclude<StartOutcome, { kind: 'started' | 'replay' | 'waiting' }>;
type Tried =
  | Exclude<StartOutcome, { kind: 'started' }>
  | { readonly kind: 'started'; readonly runId: string };

/** A run has ended, or one has started, which may be that of an earlier call with this request id, or one has to look. */
function mayBeItsTurn(news: RunNews | undefined): boolean {
  return news === undefined || news.turnSeq !== undefined || news.offset === 1;
}

/** ABORTED `RUN_IN_PROGRESS`. */
function runInProgress(runId: string): ParleyError {
  const which = runId === '' ? 'another run is about to answer' : `run ${JSON.stringify(runId)} is answering`;
  return new ParleyError('RUN_IN_PROGRESS', which, {
    ...(runId !== '' && { resource: { type: 'parley.v1.Run', name: runId } }),
  });
}
