/**
 * The session as the domain knows it, and what follows from its fields.
 *
 * It is plain JSON, and stored as such: reading one costs a `JSON.parse`.
 */
import type { JsonObject } from '../structs/json.ts';

/** Names one session of one tenant. */
export interface SessionKey {
  readonly namespace: string;
  readonly sessionId: string;
}

/** Microseconds since the Unix epoch: exact in a double, and fine enough to order by. */
export type Micros = number & { readonly unit?: 'µs' };
/** Milliseconds. */
export type Milliseconds = number & { readonly unit?: 'ms' };

export type ContextOverflow = 'ADAPTIVE' | 'TRUNCATE' | 'SUMMARIZE';
export type TtlPolicy = 'FIXED' | 'SLIDING';
export type ParticipantKind = 'USER' | 'AGENT';
/** Why an epoch of the turns began. */
export type ResetReason = 'CLEARED' | 'REWOUND' | 'TRUNCATED';
export type ConfigsOperation = 'CREATE' | 'UPDATE' | 'PATCH' | 'DELETE' | 'ROLLBACK' | 'FORK';

export interface Participant {
  readonly participantId: string;
  readonly kind: ParticipantKind;
  readonly displayName: string;
  readonly instructions: string;
  readonly settings: JsonObject;
  /** The session's last seq when it was first bound. */
  readonly joinedSeq: number;
  /** Present while it is unbound. */
  readonly leftSeq?: number;
  readonly bindTime: Micros;
  /** Present while it is unbound. */
  readonly unbindTime?: Micros;
}

/** One state of the configs, and who brought it about. */
export interface ConfigsRevision {
  readonly revision: number;
  /** Absent: unset. */
  readonly configs?: JsonObject;
  /** Absent at revision 0 only. */
  readonly operation?: ConfigsOperation;
  readonly principal: string;
  readonly requestId: string;
  readonly createTime: Micros;
}

/** What a caller can set, and what the server keeps beside it. */
export interface Session extends SessionKey {
  readonly displayName: string;
  /** All that ever took part and have a row, in the order they were first bound. */
  readonly participants: readonly Participant[];
  readonly situation: string;
  readonly renderTemplates: boolean;
  readonly metadata: JsonObject;
  readonly data: JsonObject;
  /** The current revision; what came before is in the revisions log. */
  readonly configs: ConfigsRevision;
  readonly contextOverflow: ContextOverflow;
  readonly tokenBudget: number;
  /** Absent: it is no copy. */
  readonly forkedFrom?: { readonly sessionId: string; readonly throughSeq: number };
  /** Absent: lives for ever. */
  readonly ttl?: Milliseconds;
  readonly ttlPolicy: TtlPolicy;
  readonly createTime: Micros;
  readonly updateTime: Micros;
  /** Present while it is deleted. */
  readonly deleteTime?: Micros;
  /** Present while it is deleted. */
  readonly purgeTime?: Micros;
  readonly etag: string;
}

/** What an agent made of the turns so far. */
export interface Learnt {
  /** The last turn it has looked at. */
  readonly integratedSeq: number;
  readonly insightCount: number;
}

/** What moves with every turn, and therefore is not in the session's document. */
export interface Activity {
  /** When a turn last came or went, or the session changed. */
  readonly updateTime: Micros;
  /** 0 when the log is empty. */
  readonly lastTurnSeq: number;
  readonly turnCount: number;
  /** How many turns of the log are each participant's; who has none may be absent. Undefined when nobody has any. */
  readonly turnsBy: Readonly<Record<string, number>> | undefined;
  /** The run that answers; empty when none does. */
  readonly activeRunId: string;
  /** Of the turns a prompt had no room for; empty when there is none. */
  readonly summary: string;
  /** The last turn the summary covers; 0 without one. */
  readonly summarizedSeq: number;
  /** What each agent learnt; who learnt nothing may be absent. Undefined when nobody did. */
  readonly learntBy: Readonly<Record<string, Learnt>> | undefined;
  readonly documentCount: number;
}

/** A session with its activity: all there is to tell of it. */
export interface ActiveSession {
  readonly session: Session;
  readonly activity: Activity;
}

export function isDeleted(session: Session): boolean {
  return session.deleteTime !== undefined;
}

export function isBound(participant: Participant): boolean {
  return participant.unbindTime === undefined;
}

export function boundParticipants(session: Session): Participant[] {
  return session.participants.filter(isBound);
}

/** How long the session lives after the last change; undefined when that is not what ends it. */
export function slidingTtl(session: Session): Milliseconds | undefined {
  return session.ttlPolicy === 'SLIDING' && !isDeleted(session) ? session.ttl : undefined;
}

/** When the time to live ends the session, if no turn comes meanwhile; undefined without one. */
export function expireTime(session: Session): Micros | undefined {
  if (session.ttl === undefined) return undefined;
  return (session.ttlPolicy === 'SLIDING' ? session.updateTime : session.createTime) + session.ttl * 1000;
}

/** When nothing is left of the session, by time to live or by purge; undefined when that is never. */
export function endTime(session: Session): Micros | undefined {
  const ends = [expireTime(session), session.purgeTime].filter((time) => time !== undefined);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** Changes with the revision only, and differs between sessions that had the same id one after the other. */
export function configsEtag(session: Session): string {
  return `${session.configs.revision}.${session.createTime}`;
}
