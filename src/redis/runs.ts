/** Runs as a Stream of events each, held by a lease in the session's log: implements the domain's log of runs. */
import {
  type FinishOutcome,
  type Hindrance,
  type Hold,
  type OpenEvent,
  type Overdue,
  type PlaceInLine,
  RUN_LIFETIME,
  type RunEnd,
  type RunLog,
  type RunNews,
  type RunPage,
  type RunStart,
  type RunStatus,
  type StartOutcome,
} from '../chat/run.ts';
import { ParleyError, sessionDeleted, sessionNotFound } from '../errors.ts';
import { now } from '../sessions/clock.ts';
import type { Operation } from '../sessions/operation.ts';
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import { answerSlot, recallAnswer } from './answers.ts';
import { fromText, toText } from './byte_text.ts';
import type { Connection } from './connection.ts';
import type { RedisDoorbell } from './doorbell.ts';
import { type Keys, tag, untag } from './keys.ts';
import { refusal } from './refusals.ts';
import {
  finishRun,
  forgetRun,
  leaveQueue,
  markRun,
  overdueRuns,
  queueForRun,
  readRun,
  saveSummary,
  startRun,
  takeRun,
  writeRun,
} from './scripts.ts';
import { entriesOf } from './turn_entries.ts';

/** The offset of the first thing that is said: behind `started`. */
const FIRST_WORDS = 2;
/** Events read at a time. */
const PAGE = { count: 1000, bytes: 256 * 1024 };
/** How many may wait for a run of one session. */
const MOST_WAITING = 32;
/** How long runs that ended may stay on the list of those to look after, so that many are struck off at once. */
const STRIKE_OFF: Milliseconds = 1000;
/** Sessions looked after at a time. */
const OVERDUE = 500;

export class RedisRuns implements RunLog {
  readonly lease: Milliseconds;
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #doorbell: RedisDoorbell;
  /** Runs that have ended, still on the list of those to look after. */
  readonly #over: Overdue[] = [];

  constructor(redis: Connection, keys: Keys, doorbell: RedisDoorbell, lease: Milliseconds) {
    this.#redis = redis;
    this.#keys = keys;
    this.#doorbell = doorbell;
    this.lease = lease;
  }

  recall(key: SessionKey, { operation }: Caller): Promise<string | undefined> {
    return recallAnswer(this.#redis, this.#keys.operations(key), operation);
  }

  async waiting(key: SessionKey): Promise<number> {
    return (await this.#redis.call('HLEN', this.#keys.queue(key))) as number;
  }

  async queue(key: SessionKey, ticket: string, { operation }: Caller): Promise<PlaceInLine> {
    const [field, fingerprint] = answerSlot(operation);
    const keys = [this.#keys.operations(key), this.#keys.log(key), this.#keys.queue(key)];
    const reply = await this.#redis.run(queueForRun, keys, [
      field,
      fingerprint,
      ticket,
      MOST_WAITING,
      this.lease,
    ]);
    const [code, runId] = reply as [number, string?];
    return code === 1 ? { kind: 'free' } : hindrance(code, key, operation, runId);
  }

  async start(key: SessionKey, start: RunStart, { operation }: Caller): Promise<StartOutcome> {
    // On the list first: a run that is not on it would be missed if we died right after starting it.
    const [mark, reply] = await Promise.all([
      this.#redis.run(markRun, [this.#keys.runs], [tag(key), this.lease]) as Promise<string>,
      this.#redis.run(startRun, this.#keysOf(key, start.runId, this.#keys.queue(key)), [
        ...answerSlot(operation),
        this.#keys.live(key),
        now(),
        start.lastTurnSeq,
        start.runId,
        this.lease,
        this.#keys.events(key),
        RUN_LIFETIME,
        start.ticket ?? '',
        start.first ? '1' : '',
        MOST_WAITING,
        this.lease,
        start.model,
        start.participantId,
        ...written(start.started),
        ...entriesOf(start.turns, 1),
      ]),
    ]);
    const [code, runId = '', fence, askedSeq] = reply as [number, string?, number?, string?];
    switch (code) {
      case 1:
        return { kind: 'started', hold: { runId, fence: fence!, mark }, askedSeq: Number(askedSeq) };
      case -6:
        throw new ParleyError('QUOTA_EXCEEDED', 'the session has no seq left');
      case -8:
        return { kind: 'busy', runId };
      case -11:
        return { kind: 'moved' };
      default:
        return hindrance(code, key, operation, runId);
    }
  }

  async leave(key: SessionKey, ticket: string): Promise<void> {
    await this.#redis.run(leaveQueue, [this.#keys.queue(key)], [ticket, this.#keys.events(key)]);
  }

  async write(
    key: SessionKey,
    { runId, fence }: Hold,
    offset: number,
    events: readonly Uint8Array[],
  ): Promise<boolean> {
    return this.#done(
      writeRun,
      [this.#keys.log(key), this.#keys.run(key, runId)],
      [runId, fence, this.lease, this.#keys.events(key), offset, ...events.map(toText)],
      offset === FIRST_WORDS ? 'now' : 'soon',
    );
  }

  async finish(key: SessionKey, { runId, fence, mark }: Hold, end: RunEnd): Promise<FinishOutcome> {
    const { status, offset, event, error, turn } = end;
    const reply = await this.#redis.run(finishRun, this.#keysOf(key, runId), [
      runId,
      fence,
      this.#keys.live(key),
      now(),
      this.#keys.events(key),
      RUN_LIFETIME,
      offset,
      ...written(event),
      status,
      toText(error),
      ...(turn ? entriesOf([turn]) : []),
    ]);
    // Whoever looks after runs need not look after this one; if we cannot tell, they look in vain.
    const [code, newest] = reply as [number, string?];
    if (code === -15) return { lastOffset: Number(newest) };
    if (code === 1 && mark) this.#strikeOff({ key, mark });
    return code === 1 ? 'finished' : 'gone';
  }

  async take(key: SessionKey, runId: string): Promise<Hold | undefined> {
    const taken = await this.#take(key, runId, '');
    return taken && 'fence' in taken ? taken : undefined;
  }

  takeExpired(key: SessionKey) {
    return this.#take(key, '', '1');
  }

  saveSummary(key: SessionKey, { runId, fence }: Hold, text: string, throughSeq: number): Promise<boolean> {
    return this.#done(saveSummary, [this.#keys.log(key)], [runId, fence, text, throughSeq]);
  }

  async read(key: SessionKey, runId: string, afterOffset: number): Promise<RunPage | undefined> {
    const keys = [this.#keys.log(key), this.#keys.run(key, runId)];
    const reply = (await this.#redis.run(readRun, keys, [afterOffset, PAGE.count, PAGE.bytes])) as string[];
    if (reply.length === 0) throw sessionNotFound(key.sessionId);
    const [deleted, ...found] = reply;
    if (deleted === '1') throw sessionDeleted(key.sessionId, 'read');
    if (found.length === 0) return undefined;
    const [at, model, agent, last, status, seq, ended, error, frames, offset] = found as Ten<string>;
    return {
      run: {
        runId,
        status: (status || 'RUNNING') as RunStatus,
        participantId: agent,
        model,
        createTime: Number(at),
        endTime: ended === '' ? undefined : Number(ended),
        lastOffset: Number(last),
        turnSeq: Number(seq),
        error: fromText(error),
      },
      frames: fromText(frames),
      lastOffset: Number(offset),
      more: Number(offset) < Number(last),
    };
  }

  listen(key: SessionKey, heard: (news: RunNews | undefined) => void): Promise<() => void> {
    return this.#doorbell.listenTo(this.#keys.events(key), (news) =>
      heard(news === '' ? undefined : parseNews(news)),
    );
  }

  async overdue(): Promise<readonly Overdue[]> {
    const found = (await this.#redis.run(overdueRuns, [this.#keys.runs], [OVERDUE])) as string[];
    const overdue: Overdue[] = [];
    for (let at = 0; at < found.length; at += 2)
      overdue.push({ key: untag(found[at]!), mark: found[at + 1]! });
    return overdue;
  }

  async lookedAfter({ key, mark }: Overdue, heldUntil: Milliseconds | undefined): Promise<void> {
    if (heldUntil !== undefined) await this.#redis.call('ZADD', this.#keys.runs, 'GT', heldUntil, tag(key));
    else await this.#forget([{ key, mark }]);
  }

  #strikeOff(over: Overdue): void {
    this.#over.push(over);
    if (this.#over.length > 1) return;
    setTimeout(() => void this.#forget(this.#over.splice(0)).catch(() => {}), STRIKE_OFF).unref();
  }

  async #forget(over: readonly Overdue[]): Promise<void> {
    await this.#redis.run(
      forgetRun,
      [this.#keys.runs],
      over.flatMap(({ key, mark }) => [tag(key), mark]),
    );
  }

  async #take(
    key: SessionKey,
    runId: string,
    ifExpired: '1' | '',
  ): Promise<Hold | { readonly heldUntil: Milliseconds } | undefined> {
    const reply = await this.#redis.run(takeRun, [this.#keys.log(key)], [runId, ifExpired, this.lease]);
    const [code, value, taken] = reply as [number, string | number, string?];
    if (code === 1) return { runId: taken!, fence: Number(value) };
    return code === -14 ? { heldUntil: Number(value) } : undefined;
  }

  async #done(...call: Parameters<Connection['run']>): Promise<boolean> {
    const [code] = (await this.#redis.run(...call)) as [number];
    return code === 1;
  }

  #keysOf(key: SessionKey, runId: string, ...more: string[]): string[] {
    return [...this.#keys.ofSession(key), this.#keys.run(key, runId), ...more];
  }
}

type Ten<T> = [T, T, T, T, T, T, T, T, T, T];

/** What a script says to one whose run may not start; throws when it never may. */
function hindrance(code: number, key: SessionKey, operation: Operation | undefined, runId = ''): Hindrance {
  switch (code) {
    case 2:
      return { kind: 'replay', runId };
    case -9:
      return { kind: 'expired', runId };
    case -10:
      return { kind: 'waiting' };
    case -13:
      throw new ParleyError('QUOTA_EXCEEDED', `${MOST_WAITING} wait for this session already`);
    default:
      throw refusal(code, key, operation);
  }
}

/** As the scripts take an event that gets its turns there. */
function written({ head, tag, tail }: OpenEvent): (string | number)[] {
  return [toText(head), head.length, String.fromCharCode(tag), toText(tail), tail.length];
}

/** What run.lua tells: the run, the first offset, '-' or the turn it left, a line, the events. */
function parseNews(text: string): RunNews {
  const line = text.indexOf('\n');
  const [runId, offset, ended] = text.slice(0, line).split(' ') as [string, string, string];
  const frames = text.slice(line + 1);
  return {
    runId,
    offset: Number(offset),
    frames: frames === '' ? undefined : fromText(frames),
    turnSeq: ended === '-' ? undefined : Number(ended),
  };
}
