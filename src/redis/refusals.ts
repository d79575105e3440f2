/** The refusals that scripts share, as errors. */
import { sessionDeleted, sessionNotFound } from '../errors.ts';
import type { Operation } from '../sessions/operation.ts';
import type { SessionKey } from '../sessions/session.ts';
import { requestIdReused } from './answers.ts';

/** What a script's code says that its caller does not know by itself; see prelude.lua. */
export function refusal(code: number, { sessionId }: SessionKey, operation: Operation | undefined): Error {
  switch (code) {
    case -2:
      return requestIdReused(operation!);
    case -3:
      return sessionNotFound(sessionId);
    case -4:
      return sessionDeleted(sessionId, 'write');
    default:
      return new Error(`a script returned ${code}`);
  }
}
