/** What the domain needs of a store of sessions; `redis/` provides it. */
import type { JsonObject } from '../structs/json.ts';
import type { Operation } from './operation.ts';
import type { ConfigsRevision, Micros, Session, SessionKey } from './session.ts';

/** On whose behalf a mutation runs. */
export interface Caller {
  /** Set when the call may be repeated under its `request_id`. */
  readonly operation: Operation | undefined;
  /** Empty when the server asks for no credentials. */
  readonly principal: string;
  /** Throws when nobody waits for the answer any more. */
  throwIfOver(): void;
}

/** What a mutation does to a session, and what its caller is told: plain JSON, since a retry must be told the same. */
export interface Decision<T> {
  readonly answer: T;
  /** The session to store, `null` to purge it, absent to leave it as it is. */
  readonly write?: Session | null;
}

export interface SessionStore {
  /** The session, deleted or not; undefined when there is none. */
  read(key: SessionKey): Promise<Session | undefined>;
  /** The session as it is answered, encoded when it was written: reading it costs no more than passing it on. */
  readEncoded(
    key: SessionKey,
  ): Promise<{ readonly bytes: Uint8Array; readonly deleted: boolean } | undefined>;
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
    decide: (current: Session | undefined) => Decision<T>,
    expect?: 'absent',
  ): Promise<T>;
  /** The sessions of a namespace that match, in order, found as they are asked for. */
  find(query: SessionQuery, signal: AbortSignal): AsyncIterable<Session>;
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
  /** Calls `ring` after every change, and after any time when one may have gone unnoticed. Returns how to stop. */
  listen(key: SessionKey, ring: () => void): Promise<() => void>;
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
