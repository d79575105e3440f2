/** What is remembered of calls with a request id, so that a retry gets the first answer. */
import { ParleyError } from '../errors.ts';
import type { Operation } from '../sessions/operation.ts';
import type { Milliseconds } from '../sessions/session.ts';

/** How long an answer is remembered by its request id. */
const ANSWER_LIFETIME: Milliseconds = 24 * 60 * 60 * 1000;

/** Where the answer of an operation is kept. */
export function answerField({ method, requestId }: Operation): string {
  return `${method}:${requestId}`;
}

/** As the scripts take it: field, fingerprint, and lifetime; all empty when nothing is to be remembered. */
export function answerSlot(operation: Operation | undefined): readonly [string, string, Milliseconds] {
  return operation ? [answerField(operation), operation.fingerprint, ANSWER_LIFETIME] : ['', '', 0];
}

export function requestIdReused({ requestId }: Operation): ParleyError {
  return new ParleyError(
    'REQUEST_ID_REUSED',
    `request_id ${JSON.stringify(requestId)} came with another request before`,
  );
}
