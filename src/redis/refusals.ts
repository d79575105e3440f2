/** The refusals that scripts share, as errors. */
import { sessionDeleted, sessionNotFound } from '../errors.ts';
import type { Operation } from '../sessions/operation.ts';
import type { SessionKey } from '../sessions/session.ts';
import { StillRunning } from '../sessions/store.ts';
import { requestIdReused } from './answers.ts';

/** What a script's code says that its caller does not know by itself; see prelude.lua. `runId`: of the run that answers. */
export function refusal(
  code: number,
  { sessionId }: SessionKey,
  operation: Operation | undefined,
  runId?: string,
): Error {
  switch (code) {
    case -2:
      return requestIdReused(operation!);
    case -3:
      return sessionNotFound(sessionId);
    case -4:
      return sessionDeleted(sessionId, 'write');
    case -7:
      return new StillRunning(runId!);
    default:
      return new Error(`a script returned ${code}`);
  }
}
