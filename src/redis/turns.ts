/** Turns as a Stream per session: implements the domain's log. */
import {
  type Appended,
  type Epoch,
  type LogState,
  type News,
  type NewTurn,
  type Removed,
  sameEpoch,
  type TurnLog,
  type TurnPage,
  type TurnRange,
} from '../chat/turns.ts';
import { ParleyError, sessionDeleted, sessionNotFound } from '../errors.ts';
import { now } from '../sessions/clock.ts';
import { randomBytes } from '../sessions/random.ts';
import type { Milliseconds, ResetReason, SessionKey } from '../sessions/session.ts';
import type { Caller, Doorbell, TurnsCopy } from '../sessions/store.ts';
import { answerSlot, requestIdReused } from './answers.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { appendTurns, readTurns, removeTurns, type Script, stageTurns } from './scripts.ts';
import { type Entry, epochOf, parseEntries, parseNews, toText } from './turn_text.ts';

/** Turns copied at a time. */
const COPY = { direction: 'FORWARD' as const, count: 500, bytes: 1024 * 1024 };
/** How long a copy waits for its session. */
const COPY_LIFETIME: Milliseconds = 10 * 60 * 1000;

export class RedisTurns implements TurnLog {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #doorbell: Doorbell;

  constructor(redis: Connection, keys: Keys, doorbell: Doorbell) {
    this.#redis = redis;
    this.#keys = keys;
    this.#doorbell = doorbell;
  }

  async append(
    key: SessionKey,
    turns: readonly NewTurn[],
    expectedLastSeq: number | undefined,
    caller: Caller,
  ): Promise<Appended> {
    const written = turns.flatMap((turn) => [countedFor(turn), toText(turn.bytes)]);
    const [first, time, number, created] = await this.#change(appendTurns, key, caller, [
      expectedLastSeq ?? '',
      ...written,
    ]);
    return { epoch: epochOf(created, number), firstSeq: Number(first), createTime: Number(time) };
  }

  async remove(key: SessionKey, toSeq: number, reason: ResetReason, caller: Caller): Promise<Removed> {
    const [last, removed, number, created] = await this.#change(removeTurns, key, caller, [toSeq, reason]);
    return { epoch: epochOf(created, number), lastTurnSeq: Number(last), removed: Number(removed) };
  }

  async read(key: SessionKey, range: TurnRange): Promise<TurnPage | undefined> {
    const page = await this.#read(key, range);
    return page && { ...page, turns: page.entries.map(({ turn }) => turn) };
  }

  async copy(
    source: SessionKey,
    target: SessionKey,
    epoch: Epoch,
    throughSeq: number,
    caller: Caller,
  ): Promise<TurnsCopy | undefined> {
    const name = this.#keys.copy(target, randomBytes(9).toString('base64url'));
    const turnsBy: Record<string, number> = {};
    let turnCount = 0;
    for (let lastTurnSeq = 0; ; ) {
      caller.throwIfOver();
      const page = await this.#read(source, { ...COPY, afterSeq: lastTurnSeq, beforeSeq: throughSeq + 1 });
      if (!page || !sameEpoch(page.state.epoch, epoch)) return undefined;
      if (page.entries.length > 0) await this.#redis.run(stageTurns, [name], staged(page.entries));
      for (const { turn, participantId } of page.entries) {
        if (participantId !== '') turnsBy[participantId] = (turnsBy[participantId] ?? 0) + 1;
        lastTurnSeq = turn.seq;
      }
      turnCount += page.entries.length;
      if (page.more) continue;
      return { name: turnCount > 0 ? name : '', lastTurnSeq, turnCount, turnsBy };
    }
  }

  listen(key: SessionKey, heard: (news: News | undefined) => void): Promise<() => void> {
    return this.#doorbell.listen(key, (news) => heard(news === '' ? undefined : parseNews(news)));
  }

  async #read(key: SessionKey, range: TurnRange) {
    const { direction, afterSeq, beforeSeq = '', since = '', beforeTime = '', count, bytes } = range;
    const bounds = [afterSeq, beforeSeq, since, beforeTime, direction, count, bytes];
    const keys = [this.#keys.log(key), this.#keys.turns(key)];
    const [state, entries, more] = (await this.#redis.run(readTurns, keys, bounds)) as string[];
    if (state === undefined) return undefined;
    return { state: parseState(state), entries: parseEntries(entries!), more: more === '1' };
  }

  /** Runs a script that changes the log; the words of its answer. */
  async #change(
    script: Script,
    key: SessionKey,
    { operation }: Caller,
    args: (string | number)[],
  ): Promise<[string, string, string, string]> {
    const slot = answerSlot(operation);
    const common = [...slot, this.#keys.live(key), now()];
    const keys = Object.values(this.#keys.ofSession(key));
    const [code, value] = (await this.#redis.run(script, keys, [...common, ...args])) as [number, string?];
    switch (code) {
      case 1:
      case 2:
        return value!.split(' ') as [string, string, string, string];
      case -2:
        throw requestIdReused(operation!);
      case -3:
        throw sessionNotFound(key.sessionId);
      case -4:
        throw sessionDeleted(key.sessionId, 'write');
      case -5:
        throw new ParleyError('LAST_SEQ_MISMATCH', `the last turn is ${value}`);
      case -6:
        throw new ParleyError('QUOTA_EXCEEDED', 'the session has no seq left');
      default:
        throw new Error(`a script returned ${code}`);
    }
  }
}

/** As append_turns takes it. */
function countedFor({ participantId, role }: NewTurn): string {
  if (participantId !== '') return `@${participantId}`;
  if (role === 'USER') return 'USER';
  return role === 'ASSISTANT' ? 'AGENT' : '';
}

function staged(entries: readonly Entry[]): (string | number)[] {
  const written = entries.flatMap(({ turn, participantId }) => [
    `${turn.seq}-${turn.createTime}`,
    participantId,
    toText(turn.bytes),
  ]);
  return [COPY_LIFETIME, ...written];
}

function parseState(text: string): LogState {
  const [created, number, last, reason, deleted, ends] = text.split(' ') as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    epoch: epochOf(created, number),
    lastTurnSeq: Number(last),
    resetReason: reason === '-' ? undefined : (reason as ResetReason),
    deleted: deleted === '1',
    ends: Number(ends) < 0 ? undefined : Number(ends),
  };
}
