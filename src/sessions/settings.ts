/** What callers set of a session, and what comes of it: a new session, or a changed one. */
import { fieldInvalid } from '../errors.ts';
import type { JsonObject } from '../structs/json.ts';
import { mergeShallow } from '../structs/merge.ts';
import { type Author, changed, checkStructSize, newEtag, withConfigs } from './changes.ts';
import { now } from './clock.ts';
import { firstParticipants, type NewParticipant } from './participants.ts';
import { expireTime, type Milliseconds, type Session, type SessionKey } from './session.ts';

/** The fields of a session that its callers set as they are. */
export type SessionSettings = Pick<
  Session,
  | 'displayName'
  | 'situation'
  | 'renderTemplates'
  | 'contextOverflow'
  | 'tokenBudget'
  | 'ttlPolicy'
  | 'metadata'
  | 'data'
> & { readonly ttl: Milliseconds | undefined };

/** A session to create. */
export interface NewSession extends SessionSettings {
  readonly userId: string;
  readonly agentId: string;
  readonly participants: readonly NewParticipant[];
  readonly configs: JsonObject | undefined;
}

/** What to change: a field that is not there stays as it is. */
export interface SessionUpdate {
  readonly fields: Partial<SessionSettings>;
  /** Present: replace the configs, `undefined` inside unsets them. */
  readonly configs?: { readonly value: JsonObject | undefined };
  readonly metadataPatch: JsonObject | undefined;
  readonly dataPatch: JsonObject | undefined;
  readonly etag: string;
}

/** The session as it is created, at revision 1 of its configs if it has any. */
export function newSession(key: SessionKey, input: NewSession, author: Author): Session {
  const { configs, ttl } = input;
  const at = now();
  // Field by field: putting an object together of others takes V8 longer.
  return {
    namespace: key.namespace,
    sessionId: key.sessionId,
    displayName: input.displayName,
    situation: input.situation,
    renderTemplates: input.renderTemplates,
    contextOverflow: input.contextOverflow,
    tokenBudget: input.tokenBudget,
    ttlPolicy: input.ttlPolicy,
    ...(ttl !== undefined && { ttl }),
    metadata: input.metadata,
    data: input.data,
    participants: firstParticipants(input, input.participants, at),
    configs: configs
      ? { revision: 1, configs, operation: 'CREATE', ...author, createTime: at }
      : { revision: 0, principal: '', requestId: '', createTime: at },
    createTime: at,
    updateTime: at,
    etag: newEtag(),
  };
}

/** The session after an update; itself when that changes nothing. Throws FIELD_INVALID when it would have ended already. */
export function updated(
  session: Session,
  { fields, configs, metadataPatch, dataPatch }: SessionUpdate,
  author: Author,
): Session {
  const next = changed(session, {
    ...fields,
    ...(metadataPatch && { metadata: patched('metadata', session.metadata, metadataPatch) }),
    ...(dataPatch && { data: patched('data', session.data, dataPatch) }),
  });
  const end = expireTime(next);
  if (end !== undefined && end <= now())
    throw fieldInvalid('session.ttl', 'would have ended the session already');
  return configs ? withConfigs(next, configs.value, configs.value ? 'UPDATE' : 'DELETE', author) : next;
}

function patched(field: string, target: JsonObject, patch: JsonObject): JsonObject {
  return checkStructSize(field, mergeShallow(target, patch));
}
