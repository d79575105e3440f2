/**
 * The document of a session: the session as it is, and the tokens the index finds it by.
 *
 * What holds a number that RedisJSON does not read exactly also carries itself
 * as text.
 */
import type { Session } from '../sessions/session.ts';
import { type JsonObject, stringify } from '../structs/json.ts';
import { mergePatch } from '../structs/merge.ts';
import { survives } from './exact_numbers.ts';
import { indexTokens } from './session_tokens.ts';

/** `exact`: the session again as JSON text, when it would not survive as JSON. */
type Document = Session & { readonly tokens: readonly string[]; readonly exact?: string };

/** What is written to a document: a JSON merge patch (RFC 7396) of it, where that says enough, is a third to send and to store. */
export interface DocumentWrite {
  readonly text: string;
  /** Of the session, when the text is a patch. */
  readonly patch: JsonObject | undefined;
}

/** Sessions whose documents carry them as text as well: a patch would have to change that too. */
const inexact = new WeakSet<Session>();

/** What makes a document that of `session`. `stored`: whose it is now, undefined when there is none. */
export function documentWrite(stored: Session | undefined, session: Session): DocumentWrite {
  const patch = stored && patchOf(stored, session);
  const members = (patch ? JSON.stringify(patch) : toText(session)).slice(1, -1);
  return { text: `{${members}${members && ','}"tokens":${indexTokens(session)}}`, patch };
}

function patchOf(stored: Session, session: Session): JsonObject | undefined {
  const patch = inexact.has(stored) ? undefined : mergePatch(stored, session);
  return survives(patch) ? patch : undefined;
}

function toText(session: Session): string {
  if (survives(session)) return JSON.stringify(session);
  inexact.add(session);
  return stringify({ ...session, exact: stringify(session) });
}

/** The session of a JSON.GET reply; undefined when there was no such key. */
export function fromDocument(reply: unknown): Session | undefined {
  if (typeof reply !== 'string') return undefined;
  const { tokens: _tokens, exact: text, ...session } = JSON.parse(reply) as Document;
  if (text === undefined) return session;
  // The time moves with the turns, in the document alone.
  const exact = { ...(JSON.parse(text) as Session), updateTime: session.updateTime };
  inexact.add(exact);
  return exact;
}
