/** What agents learn, how it is remembered, and what is needed of its storage; `redis/` provides it. */
import type { Epoch } from '../chat/turns.ts';
import type { Learnt, Micros, Milliseconds, Participant, SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';

/** Something an agent learnt. */
export interface Insight {
  readonly insightId: string;
  readonly participantId: string;
  readonly text: string;
  /** The seqs of the turns that support it: at least one. */
  readonly evidence: readonly number[];
  /** The turns it was drawn from: from one seq through another. */
  readonly fromSeq: number;
  readonly throughSeq: number;
  readonly createTime: Micros;
}

/** Some of an agent's insights, which are numbered from 1: the oldest and the newest of them. */
export interface InsightRange {
  readonly participantId: string;
  readonly first: number;
  readonly last: number;
}

/** An integration that this process makes. Whoever takes its place gets another fence, and this one writes nothing. */
export interface Hold {
  readonly fence: string;
}

/** What an integration has brought about; a retry is told the same, its insights read again. */
export interface Outcome {
  /** For whom it is, in order. */
  readonly participantIds: readonly string[];
  readonly batches: readonly StoredBatch[];
  /** Who had nothing new to look at; present when nobody failed and all is done. */
  readonly skipped?: readonly string[];
}

/** Turns an agent has looked at, and what it learnt of them: `last` is `first` - 1 when that was nothing. */
export interface StoredBatch extends InsightRange {
  readonly fromSeq: number;
  readonly throughSeq: number;
}

export type Begun =
  | { readonly kind: 'begun'; readonly hold: Hold; readonly outcome: Outcome }
  /** The caller's request id was answered before. */
  | { readonly kind: 'replay'; readonly outcome: Outcome };

/** What an agent learnt of some turns, and what has to be so for it to count. */
export interface Step {
  readonly agent: Participant;
  /** Its place among the session's participants. */
  readonly place: number;
  /** The log the turns were read from. */
  readonly epoch: Epoch;
  readonly before: Learnt;
  readonly throughSeq: number;
  readonly insights: readonly Insight[];
  /** With this step. */
  readonly outcome: Outcome;
}

export interface InsightLog {
  /** How long an integration is held without a sign of life. */
  readonly lease: Milliseconds;
  /** What this operation brought about before, if it came before. */
  recall(key: SessionKey, caller: Caller): Promise<Outcome | undefined>;
  /** Begins, or goes on where this operation left off. INTEGRATION_IN_PROGRESS while another one is under way. */
  begin(key: SessionKey, participantIds: readonly string[], caller: Caller): Promise<Begun>;
  /** Holds the integration for another lease. False when it is held no more. */
  hold(key: SessionKey, hold: Hold): Promise<boolean>;
  /** Stores a step whole, or nothing of it. */
  store(key: SessionKey, hold: Hold, step: Step, caller: Caller): Promise<'stored' | 'superseded' | 'lost'>;
  /** Lets the next one begin; with an outcome when all is done. */
  end(key: SessionKey, hold: Hold, outcome: Outcome | undefined, caller: Caller): Promise<void>;
  /** Those that are there, the oldest first. */
  read(key: SessionKey, range: InsightRange): Promise<Insight[]>;
}
