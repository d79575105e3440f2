/** What is remembered of calls with a request id, so that a retry gets the first answer. */
import { ParleyError } from '../errors.ts';
import type { Operation } from '../sessions/operation.ts';
import type { Milliseconds } from '../sessions/session.ts';
import { stringify } from '../structs/json.ts';
import type { Connection } from './connection.ts';

/** How long an answer is remembered by its request id. */
const ANSWER_LIFETIME: Milliseconds = 24 * 60 * 60 * 1000;

/** Where the answer of an operation is kept. */
function answerField({ method, requestId }: Operation): string {
  return `${method}:${requestId}`;
}

/** As the scripts take it: field, fingerprint, and lifetime; all empty when nothing is to be remembered. */
export function answerSlot(operation: Operation | undefined): readonly [string, string, Milliseconds] {
  return operation ? [answerField(operation), operation.fingerprint, ANSWER_LIFETIME] : ['', '', 0];
}

/** As the scripts take it that change a session: the slot, and what goes into it; nothing without a request id. */
export function answerToRemember(operation: Operation | undefined, answer: unknown): (string | number)[] {
  if (!operation) return [];
  const [field, fingerprint, lifetime] = answerSlot(operation);
  return [field, fingerprint, stringify(answer), lifetime];
}

export function requestIdReused({ requestId }: Operation): ParleyError {
  return new ParleyError(
    'REQUEST_ID_REUSED',
    `request_id ${JSON.stringify(requestId)} came with another request before`,
  );
}

/** What was answered to this operation before, `key` holding the session's answers; undefined when it is new. */
export async function recallAnswer(
  redis: Connection,
  key: string,
  operation: Operation | undefined,
): Promise<string | undefined> {
  if (!operation) return undefined;
  const remembered = await redis.call('HGET', key, answerField(operation));
  if (typeof remembered !== 'string') return undefined;
  if (!remembered.startsWith(operation.fingerprint)) throw requestIdReused(operation);
  return remembered.slice(operation.fingerprint.length);
}
