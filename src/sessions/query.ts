/** Which sessions a query means, and where they stand in its order. */
import { holds } from './filter.ts';
import { boundParticipants, isDeleted, type ParticipantKind, type Session } from './session.ts';
import type { SessionOrder, SessionPosition, SessionQuery } from './store.ts';

/** Whether a session belongs to the answer; an index may only guess. */
export function matches(session: Session, query: SessionQuery): boolean {
  const { userId, agentId, metadataFilter, configsFilter } = query;
  const configs = session.configs.configs;
  return (
    session.namespace === query.namespace &&
    (query.includeDeleted || !isDeleted(session)) &&
    (userId === '' || hasBound(session, 'USER', userId)) &&
    (agentId === '' || hasBound(session, 'AGENT', agentId)) &&
    (!metadataFilter || holds('metadata_filter', session.metadata, metadataFilter)) &&
    (!configsFilter || (configs !== undefined && holds('filter_by_configs', configs, configsFilter)))
  );
}

export function positionOf(session: Session, { by }: SessionOrder): SessionPosition {
  return { time: session[by], sessionId: session.sessionId };
}

/** Whether something from outside, such as a page token, is a place in a list. */
export function isSessionPosition(value: unknown): value is SessionPosition {
  const { time, sessionId } = (value ?? {}) as Partial<SessionPosition>;
  return Number.isSafeInteger(time) && time! >= 0 && typeof sessionId === 'string';
}

function hasBound(session: Session, kind: ParticipantKind, id: string): boolean {
  return boundParticipants(session).some((bound) => bound.kind === kind && bound.participantId === id);
}
