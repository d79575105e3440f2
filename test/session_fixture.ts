/** Sessions and callers for tests below the services. */
import { randomUUID } from 'node:crypto';
import { newEtag } from '../src/sessions/changes.ts';
import { now } from '../src/sessions/clock.ts';
import type { Session } from '../src/sessions/session.ts';
import type { NewSession } from '../src/sessions/settings.ts';
import type { Caller, SessionQuery } from '../src/sessions/store.ts';
import type { Json } from '../src/structs/json.ts';

/** A session that differs from an empty one in these fields. */
export function aSession(fields: Partial<Session> = {}): Session {
  const at = now();
  return {
    namespace: 'default',
    sessionId: randomUUID(),
    displayName: '',
    participants: [],
    situation: '',
    renderTemplates: false,
    metadata: {},
    data: {},
    configs: { revision: 0, principal: '', requestId: '', createTime: at },
    contextOverflow: 'ADAPTIVE',
    tokenBudget: 0,
    ttlPolicy: 'FIXED',
    createTime: at,
    updateTime: at,
    etag: newEtag(),
    ...fields,
  };
}

/** What a caller says of a session to create. */
export function anInput(fields: Partial<NewSession> = {}): NewSession {
  return {
    displayName: '',
    situation: '',
    renderTemplates: false,
    metadata: {},
    data: {},
    configs: undefined,
    contextOverflow: 'ADAPTIVE',
    tokenBudget: 0,
    ttl: undefined,
    ttlPolicy: 'FIXED',
    userId: '',
    agentId: '',
    participants: [],
    ...fields,
  };
}

/** Somebody who waits for ever; with a request id, one who may ask again. */
export function aCaller(requestId?: string, request: Json = null, method = 'Method'): Caller {
  const operation = requestId ? { method, requestId, fingerprint: fingerprint(request) } : undefined;
  return { operation, principal: '', throwIfOver() {}, signal: new AbortController().signal };
}

/** All live sessions of the default namespace, newest first, but for these fields. */
export function aQuery(fields: Partial<SessionQuery> = {}): SessionQuery {
  return {
    namespace: 'default',
    includeDeleted: false,
    userId: '',
    agentId: '',
    metadataFilter: undefined,
    configsFilter: undefined,
    order: { by: 'createTime', direction: 'desc' },
    after: undefined,
    expected: 51,
    ...fields,
  };
}

/** Of one length, as the server's are. */
function fingerprint(request: Json): string {
  return JSON.stringify(request).padEnd(40, '.').slice(0, 40);
}
