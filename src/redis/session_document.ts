/**
 * The document of a session: the session as it is, and the tokens the index finds it by.
 *
 * What holds a number that RedisJSON does not read exactly also carries itself
 * as text.
 */
import type { ConfigsRevision, Session } from '../sessions/session.ts';
import { stringify } from '../structs/json.ts';
import { mergePatch } from '../structs/merge.ts';
import { survives } from './exact_numbers.ts';
import { indexTokens } from './session_tokens.ts';

/** `exact`: the same again as JSON text, when it would not survive as JSON. */
type Stored<T> = T & { readonly exact?: string };
type Document = Stored<Session> & { readonly tokens: readonly string[] };

/** What is written to a document: a JSON merge patch (RFC 7396) of it, where that says enough, is a third to send and to store. */
export interface DocumentWrite {
  readonly text: string;
  readonly isPatch: boolean;
}

/** Sessions whose documents carry them as text as well: a patch would have to change that too. */
const inexact = new WeakSet<Session>();

/** What makes a document that of `session`. `stored`: whose it is now, undefined when there is none. */
export function documentWrite(stored: Session | undefined, session: Session): DocumentWrite {
  const patch = stored && !inexact.has(stored) ? mergePatch(stored, session) : undefined;
  const isPatch = patch !== undefined && survives(patch);
  const members = (isPatch ? JSON.stringify(patch) : toText(session)).slice(1, -1);
  return { text: `{${members}${members && ','}"tokens":${indexTokens(session)}}`, isPatch };
}

function toText(session: Session): string {
  if (survives(session)) return JSON.stringify(session);
  inexact.add(session);
  return stringify({ ...session, configs: toStored(session.configs), exact: stringify(session) });
}

/** The session of a JSON.GET reply; undefined when there was no such key. */
export function fromDocument(reply: unknown): Session | undefined {
  if (typeof reply !== 'string') return undefined;
  const { tokens: _tokens, ...session } = JSON.parse(reply) as Document;
  // The time moves with the turns, in the document alone.
  if (session.exact === undefined) return session;
  const exact = { ...fromStored<Session>(session), updateTime: session.updateTime };
  inexact.add(exact);
  return exact;
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
