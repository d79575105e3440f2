/** What SessionService promises of insights, without gRPC and without Redis. */
import { fieldInvalid, ParleyError } from '../errors.ts';
import { readable, writable } from '../sessions/changes.ts';
import { boundParticipants, type Session, type SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import type { IntegrationTools } from './backlog.ts';
import type { Begun, Insight, Outcome } from './insight.ts';
import { type Integrated, Integration } from './integration.ts';

/** Insights read at a time. */
const AT_ONCE = 50;

export type IntegrationEvent =
  | { readonly kind: 'started'; readonly participantIds: readonly string[] }
  | ({ readonly kind: 'agent' } & Integrated)
  | { readonly kind: 'completed' };

/** For whom to integrate, and by which model. */
export interface IntegrationAsk {
  /** Empty: every bound agent. */
  readonly participantIds: readonly string[];
  /** Empty: whichever the session names. */
  readonly model: string;
}

/** A place in a list: before this insight of this participant. */
export interface InsightPosition {
  readonly participantId: string;
  readonly number: number;
}

export class Integrations {
  readonly #tools: IntegrationTools;
  readonly #active = new Set<Promise<void>>();

  constructor(tools: IntegrationTools) {
    this.#tools = tools;
  }

  /** Integrates, as long as somebody listens: `signal` ends it between two steps, and what is stored stays. */
  async *integrate(
    key: SessionKey,
    ask: IntegrationAsk,
    caller: Caller,
    signal: AbortSignal,
  ): AsyncGenerator<IntegrationEvent> {
    const over = Promise.withResolvers<void>();
    this.#active.add(over.promise);
    try {
      const begun = await this.#begin(key, ask, caller);
      if (begun.kind === 'begun') yield* this.#made(key, begun, ask.model, caller, signal);
      else yield* this.#told(key, begun.outcome, (id) => skippedAgain(begun.outcome, id));
      yield { kind: 'completed' };
    } finally {
      this.#active.delete(over.promise);
      over.resolve();
    }
  }

  /** Insights, agent by agent in the order they were first bound, of each the newest first. */
  async *list(
    key: SessionKey,
    participantId: string,
    after: InsightPosition | undefined,
  ): AsyncGenerator<{ insight: Insight; position: InsightPosition }> {
    const found = await this.#tools.sessions.readActive(key);
    const { participants } = readable(found?.session, key);
    let ids = participants.map((row) => row.participantId);
    if (participantId !== '') {
      if (!ids.includes(participantId)) throw participantNotFound(participantId);
      ids = [participantId];
    }
    if (after) ids = ids.slice(Math.max(0, ids.indexOf(after.participantId)));
    for (const id of ids) {
      const count = found!.activity.learntBy?.[id]?.insightCount ?? 0;
      let last = id === after?.participantId ? Math.min(count, after.number - 1) : count;
      for (; last > 0; last -= AT_ONCE) {
        const first = Math.max(1, last - AT_ONCE + 1);
        const insights = await this.#tools.insights.read(key, { participantId: id, first, last });
        if (insights.length < last - first + 1) return; // the session has just lost them
        for (const [index, insight] of insights.reverse().entries())
          yield { insight, position: { participantId: id, number: last - index } };
      }
    }
  }

  /** Waits until nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#active);
  }

  async #begin(key: SessionKey, { participantIds }: IntegrationAsk, caller: Caller): Promise<Begun> {
    const { sessions, insights } = this.#tools;
    const known = await insights.recall(key, caller);
    if (known) return insights.begin(key, known.participantIds, caller);
    const session = writable(await sessions.read(key), key, '');
    const ids = agentsOf(session, participantIds);
    caller.throwIfOver();
    return insights.begin(key, ids, caller);
  }

  async *#made(
    key: SessionKey,
    begun: Extract<Begun, { kind: 'begun' }>,
    model: string,
    caller: Caller,
    signal: AbortSignal,
  ): AsyncGenerator<IntegrationEvent> {
    const { insights } = this.#tools;
    const integration = new Integration(this.#tools, key, begun, { model, caller, signal });
    let outcome: Outcome | undefined;
    try {
      yield* this.#told(key, begun.outcome, (id) => integration.agent(id));
      ({ outcome } = integration);
    } finally {
      const ended = insights.end(key, begun.hold, outcome, caller);
      await (outcome ? ended : ended.catch(() => {})); // or the lease passes by itself
    }
  }

  /** What was brought about before, and after each agent's the rest of it. */
  async *#told(
    key: SessionKey,
    { participantIds, batches }: Outcome,
    rest: (participantId: string) => AsyncIterable<Integrated> | Iterable<Integrated>,
  ): AsyncGenerator<IntegrationEvent> {
    yield { kind: 'started', participantIds };
    for (const participantId of participantIds) {
      for (const { fromSeq, throughSeq, ...range } of batches) {
        if (range.participantId !== participantId) continue;
        // After TruncateSession the numbers are given anew, and seqs never are.
        const insights = (await this.#tools.insights.read(key, range)).filter(
          (insight) => insight.fromSeq === fromSeq && insight.throughSeq === throughSeq,
        );
        yield { kind: 'agent', ...NOTHING_NEW, participantId, insights, fromSeq, throughSeq, skipped: false };
      }
      for await (const integrated of rest(participantId)) yield { kind: 'agent', ...integrated };
    }
  }
}

const NOTHING_NEW = { insights: [], fromSeq: 0, throughSeq: 0, skipped: true, error: undefined };

function skippedAgain({ skipped = [] }: Outcome, participantId: string): Integrated[] {
  return skipped.includes(participantId) ? [{ ...NOTHING_NEW, participantId }] : [];
}

/** The agents that are named, each once, or all that are bound. */
function agentsOf(session: Session, participantIds: readonly string[]): string[] {
  const bound = boundParticipants(session);
  for (const [index, id] of participantIds.entries()) {
    const named = bound.find((row) => row.participantId === id);
    if (!named) throw participantNotFound(id);
    if (named.kind !== 'AGENT')
      throw fieldInvalid(`participant_ids[${index}]`, 'is a user, and users do not learn');
  }
  const ids = bound.filter(({ kind }) => kind === 'AGENT').map(({ participantId }) => participantId);
  return participantIds.length === 0 ? ids : [...new Set(participantIds)];
}

function participantNotFound(participantId: string): ParleyError {
  return new ParleyError('PARTICIPANT_NOT_FOUND', `no participant ${JSON.stringify(participantId)}`, {
    resource: { type: 'parley.v1.Participant', name: participantId },
  });
}
