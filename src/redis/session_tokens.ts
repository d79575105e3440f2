/** The tokens by which the index finds a session, and those a query asks for. */
import { boundParticipants, isDeleted, type ParticipantKind, type Session } from '../sessions/session.ts';
import type { SessionQuery } from '../sessions/store.ts';
import { token, tokens } from '../structs/containment.ts';

/**
 * The most tokens of one filter that a query asks for. More would find hardly
 * less, since every hit is held against the whole filter.
 */
const MAX_FILTER_TOKENS = 32;

/** All tokens of a session; each is hashed with its namespace, so tenants cannot find each other's. */
export function indexTokens(session: Session): string[] {
  const { namespace, metadata, configs } = session;
  const found = [token(namespace, 'any')];
  if (!isDeleted(session)) found.push(token(namespace, 'live'));
  for (const { kind, participantId } of boundParticipants(session)) {
    found.push(token(memberScope(namespace, kind), participantId));
  }
  found.push(...tokens(`${namespace}/metadata`, metadata));
  if (configs.configs) found.push(...tokens(`${namespace}/configs`, configs.configs));
  return [...new Set(found)];
}

/** The tokens every session of an answer carries. */
export function queryTokens(query: SessionQuery): string[] {
  const { namespace, includeDeleted, userId, agentId, metadataFilter, configsFilter } = query;
  const wanted = [token(namespace, includeDeleted ? 'any' : 'live')];
  if (userId !== '') wanted.push(token(memberScope(namespace, 'USER'), userId));
  if (agentId !== '') wanted.push(token(memberScope(namespace, 'AGENT'), agentId));
  if (metadataFilter) wanted.push(...some(tokens(`${namespace}/metadata`, metadataFilter)));
  if (configsFilter) wanted.push(...some(tokens(`${namespace}/configs`, configsFilter)));
  return wanted;
}

/** The last ones are those of the leaves. */
function some(all: Set<string>): string[] {
  return [...all].slice(-MAX_FILTER_TOKENS);
}

function memberScope(namespace: string, kind: ParticipantKind): string {
  return `${namespace}/${kind}`;
}
