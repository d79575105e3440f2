/** What the domain knows of the turns of a session, and what it needs of their log; `redis/` provides it. */
import { sessionDeleted, sessionNotFound } from '../errors.ts';
import type { Micros, Milliseconds, ResetReason, SessionKey } from '../sessions/session.ts';
import type { Caller, TurnsCopy } from '../sessions/store.ts';
import type { StoredTurn } from './frames.ts';

export type Role = 'SYSTEM' | 'USER' | 'ASSISTANT' | 'TOOL';
export type Direction = 'BACKWARD' | 'FORWARD';

/** A turn to append. */
export interface NewTurn {
  readonly role: Role;
  /** Empty when nobody was named. */
  readonly participantId: string;
  readonly body: StoredTurn['body'];
}

/** Which log a place is in: a session's turns between two removals. */
export interface Epoch {
  /** When the session was created: an id may be used again. */
  readonly created: Micros;
  /** Counts the removals. */
  readonly number: number;
}

/** The end of the log, and how it came about. */
export interface LogState {
  readonly epoch: Epoch;
  /** 0 when it is empty. */
  readonly lastTurnSeq: number;
  /** The seq numbering goes on after: that of a turn that may have been removed. */
  readonly lastSeq: number;
  /** How many turns there are. */
  readonly turnCount: number;
  /** The newest run; undefined when there was none. */
  readonly run: NewestRun | undefined;
  /** Why its epoch began; undefined in the first. */
  readonly resetReason: ResetReason | undefined;
  readonly deleted: boolean;
  /** When the session ends if nothing happens; undefined when it does not. */
  readonly ends: Milliseconds | undefined;
}

/** The run that answers, or that was the last to. */
export interface NewestRun {
  readonly runId: string;
  /** The last turn there was when it began: what it was asked. */
  readonly askedSeq: number;
  /** The number of the epoch it began in. */
  readonly epochNumber: number;
  readonly active: boolean;
}

/** A part of the log. Bounds leave out what they name, but for `since`. */
export interface TurnRange {
  readonly direction: Direction;
  /** 0 for no bound. */
  readonly afterSeq: number;
  readonly beforeSeq?: number | undefined;
  /** The earliest time a turn may have. */
  readonly since?: Micros | undefined;
  readonly beforeTime?: Micros | undefined;
  /** The most turns; 0 asks for the state alone. */
  readonly count: number;
  /** The most bytes together, though one turn always, and those that lie with it. */
  readonly bytes: number;
}

/** Asks for no turns, only where they end. */
export const STATE_ONLY: TurnRange = { direction: 'FORWARD', afterSeq: 0, count: 0, bytes: 0 };

export interface TurnPage {
  readonly state: LogState;
  /** Their frames, the oldest turn first. */
  readonly frames: Uint8Array;
  /** The seq of the last turn in the direction that was asked for; 0 when there is none. */
  readonly lastSeq: number;
  /** Whether there are more within the bounds. */
  readonly more: boolean;
}

export interface Appended {
  readonly epoch: Epoch;
  readonly firstSeq: number;
  readonly createTime: Micros;
}

export interface Removed {
  readonly epoch: Epoch;
  readonly lastTurnSeq: number;
  readonly removed: number;
}

/** Turns as they were appended, told to those who follow. */
export interface News {
  readonly epoch: Epoch;
  /** The last turn seq before them. */
  readonly after: number;
  readonly turns: readonly StoredTurn[];
  /** The run that began with them; empty when none did. */
  readonly runId: string;
}

export interface TurnLog {
  /** Appends all turns or none, in one atomic step. `expectedLastSeq` absent: whatever is there. */
  append(
    key: SessionKey,
    turns: readonly NewTurn[],
    expectedLastSeq: number | undefined,
    caller: Caller,
  ): Promise<Appended>;
  /** Undefined when there is no session; one that is deleted says so. */
  read(key: SessionKey, range: TurnRange): Promise<TurnPage | undefined>;
  /** Removes the turns after a seq, and begins a new epoch if there are any. */
  remove(key: SessionKey, toSeq: number, reason: ResetReason, caller: Caller): Promise<Removed>;
  /** Copies the turns through a seq for a session that is to be; undefined when they changed meanwhile. */
  copy(
    source: SessionKey,
    target: SessionKey,
    epoch: Epoch,
    throughSeq: number,
    caller: Caller,
  ): Promise<TurnsCopy | undefined>;
  /**
   * Calls back after every change: with the turns when some were appended and they are small, without when one
   * has to look. Returns how to stop.
   */
  listen(key: SessionKey, heard: (news: News | undefined) => void): Promise<() => void>;
}

/** The page, if somebody may read the session it is of. */
export function readablePage(page: TurnPage | undefined, { sessionId }: SessionKey): TurnPage {
  if (!page) throw sessionNotFound(sessionId);
  if (page.state.deleted) throw sessionDeleted(sessionId, 'read');
  return page;
}

export function sameEpoch(one: Epoch, other: Epoch): boolean {
  return one.created === other.created && one.number === other.number;
}
