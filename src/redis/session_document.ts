/** The document of a session: the session as it is, and the tokens the index finds it by. */
import type { Session } from '../sessions/session.ts';
import { stringify } from '../structs/json.ts';
import { indexTokens } from './session_tokens.ts';

type Document = Session & { readonly tokens: readonly string[] };

export function toDocument(session: Session): string {
  const document: Document = { ...session, tokens: indexTokens(session) };
  return stringify(document);
}

/** The session of a JSON.GET reply; undefined when there was no such key. */
export function fromDocument(reply: unknown): Session | undefined {
  if (typeof reply !== 'string') return undefined;
  const { tokens: _tokens, ...session } = JSON.parse(reply) as Document;
  return session;
}
