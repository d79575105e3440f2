/** Insights as a Hash per session, and integrations held by a lease in its log: implements the domain's log of insights. */
import { ParleyError } from '../errors.ts';
import type {
  Begun,
  Hold,
  Insight,
  InsightLog,
  InsightRange,
  Outcome,
  Step,
  StoredBatch,
} from '../integration/insight.ts';
import { now } from '../sessions/clock.ts';
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import { answerSlot, recallAnswer } from './answers.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { refusal } from './refusals.ts';
import { endIntegration, holdIntegration, startIntegration, storeInsights } from './scripts.ts';

export class RedisInsights implements InsightLog {
  readonly lease: Milliseconds;
  readonly #redis: Connection;
  readonly #keys: Keys;

  constructor(redis: Connection, keys: Keys, lease: Milliseconds) {
    this.#redis = redis;
    this.#keys = keys;
    this.lease = lease;
  }

  async recall(key: SessionKey, { operation }: Caller): Promise<Outcome | undefined> {
    const text = await recallAnswer(this.#redis, this.#keys.operations(key), operation);
    return text === undefined ? undefined : parse(text);
  }

  async begin(key: SessionKey, participantIds: readonly string[], { operation }: Caller): Promise<Begun> {
    const fresh = format({ participantIds, batches: [] });
    const args = [...answerSlot(operation), this.lease, fresh];
    const reply = await this.#redis.run(startIntegration, this.#keys.ofSession(key), args);
    const [code, value, answer] = reply as [number, string?, string?];
    switch (code) {
      case 1:
        return { kind: 'begun', hold: { fence: value! }, outcome: parse(answer!) };
      case 2:
        return { kind: 'replay', outcome: parse(value!) };
      case -8:
        throw new ParleyError('INTEGRATION_IN_PROGRESS', 'another integration of this session is under way');
      default:
        throw refusal(code, key, operation);
    }
  }

  async hold(key: SessionKey, { fence }: Hold): Promise<boolean> {
    const reply = await this.#redis.run(holdIntegration, [this.#keys.log(key)], [fence, this.lease]);
    return (reply as [number])[0] === 1;
  }

  async store(key: SessionKey, { fence }: Hold, step: Step, { operation }: Caller) {
    const { agent, place, epoch, before, throughSeq, insights, outcome } = step;
    const [code] = (await this.#redis.run(storeInsights, this.#keys.ofSession(key), [
      ...answerSlot(operation),
      format(outcome),
      fence,
      this.lease,
      now(),
      epoch.created,
      epoch.number,
      agent.participantId,
      place,
      agent.bindTime,
      before.integratedSeq,
      before.insightCount,
      throughSeq,
      ...insights.map((insight) => JSON.stringify(insight)),
    ])) as [number];
    switch (code) {
      case 1:
        return 'stored';
      case -12:
        return 'lost';
      case -15:
        return 'superseded';
      default:
        throw refusal(code, key, operation);
    }
  }

  async end(key: SessionKey, { fence }: Hold, outcome: Outcome | undefined, { operation }: Caller) {
    const args = [...answerSlot(operation), outcome ? format(outcome) : '', fence];
    await this.#redis.run(endIntegration, this.#keys.ofSession(key), args);
  }

  async read(key: SessionKey, { participantId, first, last }: InsightRange): Promise<Insight[]> {
    const fields: string[] = [];
    for (let number = first; number <= last; number++) fields.push(`${participantId}/${number}`);
    if (fields.length === 0) return [];
    const found = await this.#redis.call('HMGET', this.#keys.insights(key), ...fields);
    return (found as (string | null)[])
      .filter((text) => text !== null)
      .map((text) => JSON.parse(text) as Insight);
  }
}

type Row = readonly [string, number, number, number, number];

/** As the scripts remember it: `done` or `open`, a space, and `[ids, [[agent, from, through, first, last], …], skipped]`. */
function format({ participantIds, batches, skipped }: Outcome): string {
  const rows = batches.map(
    ({ participantId, fromSeq, throughSeq, first, last }): Row => [
      participantId,
      fromSeq,
      throughSeq,
      first,
      last,
    ],
  );
  return `${skipped ? 'done' : 'open'} ${JSON.stringify([participantIds, rows, skipped])}`;
}

function parse(text: string): Outcome {
  const [participantIds, rows, skipped] = JSON.parse(text.slice(text.indexOf(' '))) as [
    string[],
    Row[],
    string[] | null,
  ];
  const batches = rows.map(
    ([participantId, fromSeq, throughSeq, first, last]): StoredBatch => ({
      participantId,
      fromSeq,
      throughSeq,
      first,
      last,
    }),
  );
  return { participantIds, batches, ...(skipped && { skipped }) };
}
