/**
 * One integration in the process that makes it: agent by agent, batch by batch. What an agent learns of a batch is
 * stored in one step with how far it has come, and counts only if nothing it was drawn from has changed; so wherever
 * this stops, for whatever reason, the next one goes on from there.
 */
import { v5 as uuidv5 } from 'uuid';
import type { Epoch } from '../chat/turns.ts';
import { ParleyError } from '../errors.ts';
import { now } from '../sessions/clock.ts';
import type { SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import { type Backlog, backlogOf, type IntegrationTools, superseded } from './backlog.ts';
import type { Hold, Insight, Outcome, StoredBatch } from './insight.ts';
import { learn } from './learn.ts';
import type { LearntText } from './model_answer.ts';

/** For ids made from what an insight was drawn from (RFC 9562, version 5): any fixed UUID will do. */
const INSIGHT_NAMESPACE = '0d9b1b0e-6a0e-5d0c-9f57-5c2f6d7e7b11';

/** What became of an agent, or of a batch of its backlog. */
export interface Integrated {
  readonly participantId: string;
  readonly insights: readonly Insight[];
  /** The turns that were looked at; both 0 when there were none. */
  readonly fromSeq: number;
  readonly throughSeq: number;
  /** Whether there was nothing new. */
  readonly skipped: boolean;
  /** Why it failed; undefined when it did not. */
  readonly error: ParleyError | undefined;
}

export class Integration {
  readonly #tools: IntegrationTools;
  readonly #key: SessionKey;
  readonly #hold: Hold;
  readonly #model: string;
  readonly #caller: Caller;
  readonly #signal: AbortSignal;
  readonly #participantIds: readonly string[];
  readonly #batches: StoredBatch[];
  readonly #skipped: string[] = [];
  #failed = false;

  /** `outcome`: of this operation so far. `model`: the one to ask; empty for whichever the session names. */
  constructor(
    tools: IntegrationTools,
    key: SessionKey,
    held: { readonly hold: Hold; readonly outcome: Outcome },
    { model, caller, signal }: { model: string; caller: Caller; signal: AbortSignal },
  ) {
    this.#tools = tools;
    this.#key = key;
    this.#hold = held.hold;
    this.#participantIds = held.outcome.participantIds;
    this.#batches = [...held.outcome.batches];
    this.#model = model;
    this.#caller = caller;
    this.#signal = signal;
  }

  /** What it has brought about; undefined as long as an agent it failed for may do better. */
  get outcome(): Outcome | undefined {
    if (this.#failed) return undefined;
    return { participantIds: this.#participantIds, batches: this.#batches, skipped: this.#skipped };
  }

  /** Lets an agent learn from all it has not looked at. Throws only what ends the whole integration. */
  async *agent(participantId: string): AsyncGenerator<Integrated> {
    const toldBefore = this.#batches.some((batch) => batch.participantId === participantId);
    let event: Integrated = { ...NOTHING, participantId };
    try {
      let until = Number.POSITIVE_INFINITY; // what is said meanwhile is the next one's
      for (let isFirst = !toldBefore; ; isFirst = false) {
        this.#signal.throwIfAborted();
        const backlog = await backlogOf(this.#tools, this.#key, participantId, this.#model, until);
        if (!backlog) {
          if (isFirst) this.#skipped.push(participantId);
          if (isFirst) yield { ...NOTHING, participantId, skipped: true };
          return;
        }
        const { fromSeq, throughSeq } = backlog.batch;
        until = Math.min(until, backlog.lastSeq);
        event = { ...NOTHING, participantId, fromSeq, throughSeq };
        const insights = await this.#integrate(backlog);
        yield { ...event, insights };
      }
    } catch (error) {
      if (this.#signal.aborted || !isOfAgent(error)) throw error;
      this.#failed = true;
      yield { ...event, error };
    }
  }

  /** What it learns of a batch, stored. */
  async #integrate({ agent, place, before, epoch, learner, batch }: Backlog): Promise<Insight[]> {
    const { participantId } = agent;
    const { fromSeq, throughSeq } = batch;
    const learnt = await this.#whileHeld((signal) => learn(batch, learner, signal));
    this.#signal.throwIfAborted();
    const insights = this.#named(learnt, { participantId, fromSeq, throughSeq }, epoch);
    const { insightCount: count } = before;
    const range = { participantId, fromSeq, throughSeq, first: count + 1, last: count + insights.length };
    const outcome = { participantIds: this.#participantIds, batches: [...this.#batches, range] };
    const step = { agent, place, epoch, before, throughSeq, insights, outcome };
    const stored = await this.#tools.insights.store(this.#key, this.#hold, step, this.#caller);
    if (stored === 'lost') throw displaced();
    if (stored === 'superseded') throw superseded(participantId);
    this.#batches.push(range);
    return insights;
  }

  /** The same turns have the same insights' names, whoever asks how often. */
  #named(
    learnt: readonly LearntText[],
    from: Pick<Insight, 'participantId' | 'fromSeq' | 'throughSeq'>,
    epoch: Epoch,
  ): Insight[] {
    const { namespace, sessionId } = this.#key;
    const { participantId, fromSeq, throughSeq } = from;
    const where = [namespace, sessionId, epoch.created, epoch.number, participantId, fromSeq, throughSeq];
    const createTime = now();
    return learnt.map((each, ordinal) => ({
      insightId: uuidv5([...where, ordinal].join('/'), INSIGHT_NAMESPACE),
      ...from,
      ...each,
      createTime,
    }));
  }

  /** Gives signs of life while a model thinks; another integration in its place ends the work. */
  async #whileHeld<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { insights } = this.#tools;
    const lost = new AbortController();
    const renew = async () => {
      try {
        if (!(await insights.hold(this.#key, this.#hold))) lost.abort(displaced());
      } catch {
        // Redis is away; there is another one before the lease is over.
      }
    };
    const renewal = setInterval(() => void renew(), insights.lease / 3);
    try {
      return await work(AbortSignal.any([this.#signal, lost.signal]));
    } finally {
      clearInterval(renewal);
    }
  }
}

const NOTHING = { insights: [], fromSeq: 0, throughSeq: 0, skipped: false, error: undefined };

/** Whether an error is one agent's alone, and the next may do better. */
function isOfAgent(error: unknown): error is ParleyError {
  return (
    error instanceof ParleyError && /^(MODEL_|SETTINGS_INVALID|INTEGRATION_SUPERSEDED)/.test(error.reason)
  );
}

function displaced(): ParleyError {
  return new ParleyError('INTEGRATION_IN_PROGRESS', 'this one fell silent, and lost its place');
}
