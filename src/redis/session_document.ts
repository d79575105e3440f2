/**
 * The document of a session: the session as it is, and the tokens the index finds it by.
 *
 * RedisJSON reads a number as `digits × 10^n` in floating point, which for many
 * of more than 15 digits ends one bit beside it (7.996062797706731e-241 comes
 * back as …73e-241). What holds such a number also carries itself as text.
 */
import type { ConfigsRevision, Session } from '../sessions/session.ts';
import { stringify } from '../structs/json.ts';
import { indexTokens } from './session_tokens.ts';

/** `exact`: the same again as JSON text, when it would not survive as JSON. */
type Stored<T> = T & { readonly exact?: string };
type Document = Stored<Session> & { readonly tokens: readonly string[] };

export function toDocument(session: Session): string {
  const text = survives(session)
    ? JSON.stringify(session)
    : stringify({ ...session, configs: toStored(session.configs), exact: stringify(session) });
  return `${text.slice(0, -1)},"tokens":${indexTokens(session)}}`;
}

/** The session of a JSON.GET reply; undefined when there was no such key. */
export function fromDocument(reply: unknown): Session | undefined {
  if (typeof reply !== 'string') return undefined;
  const { tokens: _tokens, ...session } = JSON.parse(reply) as Document;
  // The time moves with the turns, in the document alone.
  return session.exact === undefined
    ? session
    : { ...fromStored<Session>(session), updateTime: session.updateTime };
}

/** A revision of the log, which gets it out of a document. */
export function fromRevision(text: string): ConfigsRevision {
  return fromStored(JSON.parse(text) as Stored<ConfigsRevision>);
}

function toStored<T extends object>(value: T): Stored<T> {
  return survives(value) ? value : { ...value, exact: stringify(value) };
}

function fromStored<T>(stored: Stored<T>): T {
  return stored.exact === undefined ? stored : (JSON.parse(stored.exact) as T);
}

/** Whether every number is one that JSON.stringify writes and RedisJSON reads exactly: of at most 15 digits, or an integer. */
function survives(value: unknown): boolean {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? !Object.is(value, -0) : isShort(String(value));
  }
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(survives);
  for (const key in value) if (!survives((value as Record<string, unknown>)[key])) return false;
  return true;
}

/** 15 digits and a point, or a sign and 14 and a point; none of them an exponent. */
function isShort(number: string): boolean {
  return number.length <= 16 && !number.includes('e');
}
