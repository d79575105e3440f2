/**
 * What each mutation makes of a session: pure functions from the session as it
 * is to the session as it shall be. A function that changes nothing returns its
 * argument, and then nothing is written.
 */
import { etagMismatch, fieldInvalid, sessionDeleted, sessionNotFound } from '../errors.ts';
import { equal, type JsonObject } from '../structs/json.ts';
import { structSize } from '../structs/wire.ts';
import { MAX_BYTES } from '../structs/wire_reader.ts';
import { now } from './clock.ts';
import { randomText } from './random.ts';
import { type ConfigsOperation, isDeleted, type Micros, type Session, type SessionKey } from './session.ts';
import type { Caller } from './store.ts';

/** Who asks for a change, for the record. */
export interface Author {
  readonly principal: string;
  readonly requestId: string;
}

/** Who a change is recorded under. */
export function authorOf({ principal, operation }: Caller): Author {
  return { principal, requestId: operation?.requestId ?? '' };
}

/** The session, if somebody may write to it. */
export function writable(session: Session | undefined, key: SessionKey, etag: string): Session {
  if (!session) throw sessionNotFound(key.sessionId);
  if (isDeleted(session)) throw sessionDeleted(key.sessionId, 'write');
  checkEtag(session, etag);
  return session;
}

/** The session, if somebody may read it. */
export function readable(session: Session | undefined, key: SessionKey): Session {
  if (!session) throw sessionNotFound(key.sessionId);
  if (isDeleted(session)) throw sessionDeleted(key.sessionId, 'read');
  return session;
}

/** Throws ETAG_MISMATCH unless the etag is empty or the session's. */
export function checkEtag(session: Session, etag: string): void {
  if (etag !== '' && etag !== session.etag) throw etagMismatch('session');
}

/**
 * The session with some fields changed, under a new etag and update time; the
 * session itself when all of them are what they were. A field given as
 * undefined is taken away.
 */
export function changed(session: Session, fields: SessionFields): Session {
  const names = Object.keys(fields) as (keyof Session)[];
  if (names.every((name) => equal(session[name] as never, fields[name] as never))) return session;
  return touched(session, fields);
}

/** The session with some fields changed, or not, under a new etag and update time. */
export function touched(session: Session, fields: SessionFields): Session {
  return replaced(session, fields, nextTime(session));
}

function replaced(session: Session, fields: SessionFields, at: Micros): Session {
  const next: SessionFields = { ...session, ...fields, updateTime: at, etag: newEtag() };
  for (const name of Object.keys(fields) as (keyof Session)[])
    if (next[name] === undefined) delete next[name];
  return next as Session;
}

type SessionFields = { -readonly [K in keyof Session]?: Session[K] | undefined };

/** The session with other configs (undefined: unset), as a new revision; the session itself when they are equal. */
export function withConfigs(
  session: Session,
  configs: JsonObject | undefined,
  operation: ConfigsOperation,
  author: Author,
): Session {
  const current = session.configs;
  if (equal(current.configs, configs)) return session;
  if (configs) checkStructSize('configs', configs);
  const at = nextTime(session);
  const { principal, requestId } = author;
  const unset = { revision: current.revision + 1, operation, principal, requestId, createTime: at };
  return replaced(session, { configs: configs ? { ...unset, configs } : unset }, at);
}

/** A merge may outgrow what one request can hold. */
export function checkStructSize(field: string, value: JsonObject): JsonObject {
  if (structSize(value) > MAX_BYTES) throw fieldInvalid(field, `larger than ${MAX_BYTES} bytes as protobuf`);
  return value;
}

/** Clocks of two processes may disagree; a session's update time goes forward all the same. */
function nextTime(session: Session): Micros {
  return Math.max(now(), session.updateTime + 1);
}

/** A new etag; nobody can guess which comes next, and none comes twice. */
export function newEtag(): string {
  return randomText(9);
}
