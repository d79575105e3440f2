/** What the domain needs of a store of sessions; `redis/` provides it. */
import type { JsonObject } from '../structs/json.ts';
import type { Operation } from './operation.ts';
import {
  type ActiveSession,
  type Activity,
  type ConfigsRevision,
  isDeleted,
  type Micros,
  type Milliseconds,
  type ResetReason,
  type Session,
  type SessionKey,
  slidingTtl,
} from './session.ts';

/** On whose behalf a mutation runs. */
export interface Caller {
  /** Set when the call may be repeated under its `request_id`. */
  readonly operation: Operation | undefined;
  /** Empty when the server asks for no credentials. */
  readonly principal: string;
  /** Throws when nobody waits for the answer any more. */
  throwIfOver(): void;
  /** Aborts when nobody waits for the answer any more. Made when it is first asked for, which is not cheap. */
  readonly signal: AbortSignal;
}

/** What a mutation does to a session, and what its caller is told: plain JSON, since a retry must be told the same. */
export interface Decision<T> {
  readonly answer: T;
  /** The session to store, `null` to purge it, absent to leave it as it is. */
  readonly write?: Session | null;
  /** Whether the write counts only as long as no turn came or went since `lastTurnSeq` was told. */
  readonly atSeq?: boolean;
  /** Whether the write must wait until no run answers: {@link StillRunning}. A purge always does. */
  readonly idle?: boolean;
  /** Removes all turns with the write, and begins a new epoch. */
  readonly reset?: ResetReason;
  /** The turns a new session begins with, and the seq its numbering goes on after. */
  readonly turns?: FirstTurns;
}

/** The log of a session that is a copy. */
export interface FirstTurns {
  readonly copy: TurnsCopy;
  readonly lastSeq: number;
  /** Of turns that are in it, and the last of those; empty and 0 without one. */
  readonly summary: string;
  readonly summarizedSeq: number;
}

/** What came of a mutation: the answer, and the session's activity right after it. */
export interface Mutated<T> {
  readonly answer: T;
  readonly activity: Activity;
}

/** Turns copied from another session, waiting for theirs. */
export interface TurnsCopy {
  /** How the store knows it; empty when there were none to copy. */
  readonly name: string;
  readonly lastTurnSeq: number;
  readonly turnCount: number;
  readonly turnsBy: Readonly<Record<string, number>>;
}

/** A session as it is answered, but for what moves with every turn. */
export interface EncodedSession {
  readonly bytes: Uint8Array;
  readonly deleted: boolean;
  readonly slidingTtl: Milliseconds | undefined;
  readonly activity: Activity;
}

/** A session and its encoding, as it is answered. */
export function withEncoding(bytes: Uint8Array, { session, activity }: ActiveSession): EncodedSession {
  return { bytes, deleted: isDeleted(session), slidingTtl: slidingTtl(session), activity };
}

/** Thrown where a run has to end first. */
export class StillRunning extends Error {
  readonly runId: string;

  constructor(runId: string) {
    super(`run ${runId} still answers`);
    this.runId = runId;
  }
}

/** Cancels runs; `redis/` does not know how. */
export interface RunEnder {
  /** Cancels a run, if it still answers; `said`: whether what it said becomes a turn. It is over when this returns. */
  end(key: SessionKey, runId: string, said: 'KEEP' | 'DROP'): Promise<void>;
}

/** Does what may not be done while a run answers, cancelling those that do. */
export async function whenIdle<T>(
  runs: RunEnder,
  key: SessionKey,
  said: 'KEEP' | 'DROP',
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StillRunning)) throw error;
      await runs.end(key, error.runId, said);
    }
  }
}

export interface SessionStore {
  /** The session, deleted or not; undefined when there is none. */
  read(key: SessionKey): Promise<Session | undefined>;
  readActive(key: SessionKey): Promise<ActiveSession | undefined>;
  /** The session as it is answered, encoded when it was written: reading it costs no more than passing it on. */
  readEncoded(key: SessionKey): Promise<EncodedSession | undefined>;
  /**
   * Decides on the session as it is and writes the outcome, in one atomic step:
   * `decide` may run several times, the last time on what was really there. A
   * repeated operation gets its first answer, and `decide` counts for nothing.
   *
   * `expect: 'absent'` saves a read when the session most likely does not exist.
   */
  mutate<T>(
    key: SessionKey,
    caller: Caller,
    decide: (current: Session | undefined, lastTurnSeq: number) => Decision<T>,
    expect?: 'absent',
  ): Promise<Mutated<T>>;
  /** What was answered to this operation, if it came before; REQUEST_ID_REUSED when another did. */
  recall<T>(key: SessionKey, caller: Caller): Promise<Mutated<T> | undefined>;
  /** The sessions of a namespace that match, in order, found as they are asked for. */
  find(query: SessionQuery, signal: AbortSignal): AsyncIterable<ActiveSession>;
}

/** The configs as they were. */
export interface RevisionLog {
  /**
   * The session with its kept revisions from `from` to the current one, the
   * oldest first; undefined when there is no session.
   */
  revisions(
    key: SessionKey,
    from: number,
  ): Promise<{ session: Session; revisions: ConfigsRevision[] } | undefined>;
}

/** Rings when something of a session may have changed; never instead of looking. */
export interface Doorbell {
  /**
   * Calls `ring` after every change, and after any time when one may have gone unnoticed; after turns were appended,
   * with news for those who follow them. Returns how to stop.
   */
  listen(key: SessionKey, ring: (news: string) => void): Promise<() => void>;
}

/** Which sessions to list, and in which order. */
export interface SessionQuery {
  readonly namespace: string;
  readonly includeDeleted: boolean;
  /** Empty means any. */
  readonly userId: string;
  readonly agentId: string;
  readonly metadataFilter: JsonObject | undefined;
  readonly configsFilter: JsonObject | undefined;
  readonly order: SessionOrder;
  /** Where the last page ended; undefined at the beginning. */
  readonly after: SessionPosition | undefined;
  /** How many will probably be asked for. */
  readonly expected: number;
}

export interface SessionOrder {
  readonly by: 'createTime' | 'updateTime';
  readonly direction: 'asc' | 'desc';
}

/** A place in a list: ties of the time go by session id. */
export interface SessionPosition {
  readonly time: Micros;
  readonly sessionId: string;
}
