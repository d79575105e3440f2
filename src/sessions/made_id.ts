/** Ids the server makes, where a caller gives none. */
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';
import { randomBytes } from './random.ts';
import type { Caller } from './store.ts';

/** For ids derived from a request id (RFC 9562, version 5): any fixed UUID will do. */
const REQUEST_ID_NAMESPACE = '6f1a9f6e-2d0b-5c43-9d0e-6a8a1f1a7c55';

/**
 * An id in order of creation; one derived from the request id when there is one,
 * so that a retry lands on the same session or document, and its slot alone decides.
 */
export function madeId(scope: string, { operation }: Pick<Caller, 'operation'>): string {
  return operation
    ? uuidv5(`${scope}/${operation.requestId}`, REQUEST_ID_NAMESPACE)
    : uuidv7({ random: randomBytes(16) });
}
