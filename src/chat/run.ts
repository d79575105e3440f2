/** Runs: what makes an answer, what happens in one, and what is needed of their log; `redis/` provides it. */
import { ParleyError } from '../errors.ts';
import type { Micros, Milliseconds, SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import type { NewTurn } from './turns.ts';

export type RunStatus = 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED';
/** What to do while another run answers. */
export type Concurrency = 'REJECT' | 'ENQUEUE' | 'INTERRUPT';

/** The making of one answer. */
export interface Run {
  readonly runId: string;
  readonly status: RunStatus;
  /** The agent that answers; empty when it is nobody in particular. */
  readonly participantId: string;
  readonly model: string;
  readonly createTime: Micros;
  /** Undefined while it answers. */
  readonly endTime: Micros | undefined;
  readonly lastOffset: number;
  /** The turn it left; 0 when it left none. */
  readonly turnSeq: number;
  /** Why it failed, as the event encoder wrote it; empty when it did not. */
  readonly error: Uint8Array;
}

/** An event in the making: where turns are put between `head` and `tail`, once they have their seq. */
export interface OpenEvent {
  /** The fields of the event before what happened. */
  readonly head: Uint8Array;
  /** The tag byte of what happened. */
  readonly tag: number;
  /** The fields of what happened, behind its turns. */
  readonly tail: Uint8Array;
}

/** A run that this process writes. Whoever takes it away gets another fence, and this one then opens nothing. */
export interface Hold {
  readonly runId: string;
  readonly fence: number;
  /** How the list of runs to look after knows it, for the process that started it. */
  readonly mark?: string;
}

/** A run to start. */
export interface RunStart {
  readonly runId: string;
  readonly model: string;
  readonly participantId: string;
  /** What is said before it answers. */
  readonly turns: readonly NewTurn[];
  /** The last turn seq its prompt was made from. */
  readonly lastTurnSeq: number;
  readonly started: OpenEvent;
  /** How to wait for other runs; undefined: not at all. */
  readonly ticket: string | undefined;
  /** Whether it goes before those who wait. */
  readonly first: boolean;
}

export type StartOutcome =
  /** `askedSeq`: the last turn now. */
  | { readonly kind: 'started'; readonly hold: Hold; readonly askedSeq: number }
  /** The caller's request id was answered by this run. */
  | { readonly kind: 'replay'; readonly runId: string }
  /** Another run answers, or one (without an id) is about to. */
  | { readonly kind: 'busy'; readonly runId: string }
  /** Another run answers whose process let its lease pass. */
  | { readonly kind: 'expired'; readonly runId: string }
  /** The ticket waits; to be asked again. */
  | { readonly kind: 'waiting' }
  /** Turns came or went since the prompt was made. */
  | { readonly kind: 'moved' };

/** Why a run that may wait does not start. */
export type Hindrance = Extract<StartOutcome, { kind: 'replay' | 'expired' | 'waiting' }>;
/** What one who waits finds: `free` when it is its turn. */
export type PlaceInLine = Hindrance | { readonly kind: 'free' };

/** The end of a run. */
export interface RunEnd {
  readonly status: Exclude<RunStatus, 'RUNNING'>;
  readonly offset: number;
  readonly event: OpenEvent;
  readonly error: Uint8Array;
  /** The turn it leaves. */
  readonly turn: NewTurn | undefined;
}

export interface RunPage {
  readonly run: Run;
  /** Events as frames, in order. */
  readonly frames: Uint8Array;
  /** The offset of the last of them. */
  readonly lastOffset: number;
  /** Whether there are more by now. */
  readonly more: boolean;
}

/** Events as they are written, told to those who listen. */
export interface RunNews {
  readonly runId: string;
  /** The offset of the first of them. */
  readonly offset: number;
  /** Undefined when they are too large to be brought along. */
  readonly frames: Uint8Array | undefined;
  /** Undefined before the last event; with it the turn the run left, 0 when none. */
  readonly turnSeq: number | undefined;
}

/**
 * `gone`: it is held no more. Or the offset of its newest event, which is not before that of the end: what was written
 * while Redis was silent came after all.
 */
export type FinishOutcome = 'finished' | 'gone' | { readonly lastOffset: number };

export interface RunLog {
  /** How long a run is held without a sign of life. */
  readonly lease: Milliseconds;
  /** The run this operation started before, if it did. */
  recall(key: SessionKey, caller: Caller): Promise<string | undefined>;
  /** How many wait for their turn. */
  waiting(key: SessionKey): Promise<number>;
  /** Gives a ticket its place among those who wait, or keeps it, and says whether it is its turn. */
  queue(key: SessionKey, ticket: string, caller: Caller): Promise<PlaceInLine>;
  /** Appends the turns and starts the run, in one step. */
  start(key: SessionKey, start: RunStart, caller: Caller): Promise<StartOutcome>;
  /** Gives a ticket back, and rings for those behind it. */
  leave(key: SessionKey, ticket: string): Promise<void>;
  /** Adds events, and holds the run for another lease; none: only that. False when it is held no more. */
  write(key: SessionKey, hold: Hold, offset: number, events: readonly Uint8Array[]): Promise<boolean>;
  /** Ends the run, with its turn and its last event in one step. */
  finish(key: SessionKey, hold: Hold, end: RunEnd): Promise<FinishOutcome>;
  /**
   * Takes a run away from whoever writes it, to end it; all who take it hold it together, and the first to finish it
   * does so for all. Undefined when it is over. An empty id means whichever answers.
   */
  take(key: SessionKey, runId: string): Promise<Hold | undefined>;
  /** The same, if its lease has passed; otherwise until when it is held. */
  takeExpired(key: SessionKey): Promise<Hold | { readonly heldUntil: Milliseconds } | undefined>;
  /** Keeps a summary of the first turns, as long as the run is held. */
  saveSummary(key: SessionKey, hold: Hold, text: string, throughSeq: number): Promise<boolean>;
  /** Undefined when there is no such run; throws when there is no such session. */
  read(key: SessionKey, runId: string, afterOffset: number): Promise<RunPage | undefined>;
  /** Calls back with what is written to any run of a session; undefined: one has to look. Returns how to stop. */
  listen(key: SessionKey, heard: (news: RunNews | undefined) => void): Promise<() => void>;
  /** Sessions whose runs may have been left behind. */
  overdue(): Promise<readonly Overdue[]>;
  /** What came of looking after one: until when its run is held, or undefined when there is none. */
  lookedAfter(overdue: Overdue, heldUntil: Milliseconds | undefined): Promise<void>;
}

/** A session that may have a run nobody holds. */
export interface Overdue {
  readonly key: SessionKey;
  readonly mark: string;
}

/** How long a run's events are kept after it ended. */
export const RUN_LIFETIME: Milliseconds = 24 * 60 * 60 * 1000;

/** Says why there is no such run: a run's id tells when it was made (UUID version 7, RFC 9562). */
export function runNotFound(runId: string): ParleyError {
  const time = /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(runId)
    ? Number.parseInt(runId.slice(0, 8) + runId.slice(9, 13), 16)
    : Date.now();
  const old = time < Date.now() - RUN_LIFETIME;
  return old
    ? new ParleyError('RUN_EVENTS_EXPIRED', `the events of run ${JSON.stringify(runId)} are no longer kept`)
    : new ParleyError('RUN_NOT_FOUND', `the session has no run ${JSON.stringify(runId)}`, {
        resource: { type: 'parley.v1.Run', name: runId },
      });
}
