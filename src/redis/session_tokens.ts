/** The tokens by which the index finds a session, and those a query asks for. */
import { boundParticipants, isDeleted, type ParticipantKind, type Session } from '../sessions/session.ts';
import type { SessionQuery } from '../sessions/store.ts';
import { type Findable, tokens, tokensAsJson } from '../structs/containment.ts';

/**
 * The most tokens of one filter that a query asks for. More would find hardly
 * less, since every hit is held against the whole filter.
 */
const MAX_FILTER_TOKENS = 32;

/** All tokens of a session, as JSON; each is hashed with its namespace, so tenants cannot find each other's. */
export function indexTokens(session: Session): string {
  const { namespace, metadata, configs } = session;
  return tokensAsJson([
    state(namespace, 'any'),
    ...(isDeleted(session) ? [] : [state(namespace, 'live')]),
    ...boundParticipants(session).map(({ kind, participantId }) => member(namespace, kind, participantId)),
    { scope: `${namespace}/metadata`, value: metadata },
    ...(configs.configs ? [{ scope: `${namespace}/configs`, value: configs.configs }] : []),
  ]);
}

/** The tokens every session of an answer carries. */
export function queryTokens(query: SessionQuery): string[] {
  const { namespace, includeDeleted, userId, agentId, metadataFilter, configsFilter } = query;
  const exact = [state(namespace, includeDeleted ? 'any' : 'live')];
  if (userId !== '') exact.push(member(namespace, 'USER', userId));
  if (agentId !== '') exact.push(member(namespace, 'AGENT', agentId));
  return [
    ...tokens(exact),
    ...(metadataFilter ? some({ scope: `${namespace}/metadata`, value: metadataFilter }) : []),
    ...(configsFilter ? some({ scope: `${namespace}/configs`, value: configsFilter }) : []),
  ];
}

/** The last ones, since they are more often those of leaves. */
function some(filter: Findable): string[] {
  return tokens([filter]).slice(-MAX_FILTER_TOKENS);
}

function state(namespace: string, name: 'any' | 'live'): Findable {
  return { scope: namespace, value: name };
}

function member(namespace: string, kind: ParticipantKind, participantId: string): Findable {
  return { scope: `${namespace}/${kind}`, value: participantId };
}
