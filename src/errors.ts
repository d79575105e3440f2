/**
 * Every error a caller can meet, in one table: reason → canonical code.
 *
 * The domain throws {@link ParleyError}; `rpc/status.ts` turns it into a
 * `google.rpc.Status`. Anything else that is thrown is a defect: logged, and
 * answered as INTERNAL without a word of its text.
 */

/** The canonical code of each reason this version gives; `error_reason.proto` says what each means. */
const CODES = {
  FIELD_INVALID: 'INVALID_ARGUMENT',
  REQUEST_INVALID: 'INVALID_ARGUMENT',
  REQUEST_ID_REUSED: 'INVALID_ARGUMENT',
  PAGE_TOKEN_INVALID: 'INVALID_ARGUMENT',
  CURSOR_INVALID: 'INVALID_ARGUMENT',
  ETAG_MISMATCH: 'ABORTED',
  SESSION_NOT_FOUND: 'NOT_FOUND',
  SESSION_DELETED: 'NOT_FOUND', // of reads; a write says FAILED_PRECONDITION
  SESSION_ALREADY_EXISTS: 'ALREADY_EXISTS',
  PARTICIPANT_NOT_FOUND: 'NOT_FOUND',
  PARTICIPANT_KIND_CONFLICT: 'FAILED_PRECONDITION',
  REVISION_NOT_FOUND: 'NOT_FOUND',
  REVISION_COMPACTED: 'OUT_OF_RANGE',
  LAST_SEQ_MISMATCH: 'ABORTED',
  RUN_NOT_FOUND: 'NOT_FOUND',
  RUN_IN_PROGRESS: 'ABORTED',
  RUN_ABANDONED: 'ABORTED',
  RUN_EVENTS_EXPIRED: 'OUT_OF_RANGE',
  CONTEXT_OVERFLOW: 'FAILED_PRECONDITION',
  TEMPLATE_INVALID: 'INVALID_ARGUMENT', // when it is written; one that fails on data says FAILED_PRECONDITION
  SETTINGS_INVALID: 'FAILED_PRECONDITION',
  MODEL_NOT_FOUND: 'NOT_FOUND',
  MODEL_UNAUTHORIZED: 'FAILED_PRECONDITION',
  MODEL_RATE_LIMITED: 'RESOURCE_EXHAUSTED',
  MODEL_UNAVAILABLE: 'UNAVAILABLE',
  MODEL_TIMEOUT: 'DEADLINE_EXCEEDED',
  MODEL_REFUSED: 'FAILED_PRECONDITION',
  MODEL_ANSWER_INVALID: 'UNAVAILABLE',
  INTEGRATION_IN_PROGRESS: 'ABORTED',
  INTEGRATION_SUPERSEDED: 'ABORTED',
  DOCUMENT_NOT_FOUND: 'NOT_FOUND',
  DOCUMENT_ALREADY_EXISTS: 'ALREADY_EXISTS',
  EMBEDDINGS_NOT_CONFIGURED: 'FAILED_PRECONDITION',
  QUOTA_EXCEEDED: 'RESOURCE_EXHAUSTED',
  STORAGE_FULL: 'RESOURCE_EXHAUSTED',
  STORAGE_UNAVAILABLE: 'UNAVAILABLE',
  SERVER_STOPPING: 'UNAVAILABLE',
  CALL_ENDED: 'CANCELLED',
  SERVICE_UNKNOWN: 'NOT_FOUND',
  METHOD_UNIMPLEMENTED: 'UNIMPLEMENTED',
  INTERNAL: 'INTERNAL',
} as const;

/** A reason as callers see it in `ErrorInfo`: a value of `ErrorReason` without its prefix. */
export type Reason = keyof typeof CODES;

/** A canonical gRPC code by name. */
export type CodeName = (typeof CODES)[Reason] | 'DEADLINE_EXCEEDED';

/** One malformed field: its path as the caller wrote it (`session.metadata["a"]`), and what is wrong. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** What an error carries besides its reason and message. */
export interface ErrorContext {
  /** Overrides the reason's usual code. */
  readonly code?: CodeName;
  readonly fields?: readonly FieldViolation[];
  readonly resource?: { readonly type: string; readonly name: string };
  /** When a retry may succeed, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** An error that is meant for the caller: its message reaches them word for word. */
export class ParleyError extends Error {
  readonly reason: Reason;
  readonly code: CodeName;
  readonly context: ErrorContext;

  constructor(reason: Reason, message: string, context: ErrorContext = {}) {
    super(message, { cause: context.cause });
    this.reason = reason;
    this.code = context.code ?? CODES[reason];
    this.context = context;
  }
}

/** Why a server cannot start, for the person at the terminal: the message says what to do, and no stack would help. */
export class StartError extends Error {}

/** INVALID_ARGUMENT `FIELD_INVALID`, naming one field. */
export function fieldInvalid(field: string, description: string): ParleyError {
  return new ParleyError('FIELD_INVALID', `${field}: ${description}`, { fields: [{ field, description }] });
}

/** NOT_FOUND `SESSION_NOT_FOUND`; says nothing about other namespaces. */
export function sessionNotFound(sessionId: string): ParleyError {
  return new ParleyError('SESSION_NOT_FOUND', `there is no session ${JSON.stringify(sessionId)}`, {
    resource: { type: 'parley.v1.Session', name: sessionId },
  });
}

/** ALREADY_EXISTS `SESSION_ALREADY_EXISTS`; `how`: as what, when not just like that. */
export function alreadyExists(sessionId: string, how: 'deleted' | 'undeleted' | '' = ''): ParleyError {
  return new ParleyError('SESSION_ALREADY_EXISTS', `session ${JSON.stringify(sessionId)} ${EXISTS[how]}`, {
    resource: { type: 'parley.v1.Session', name: sessionId },
  });
}

const EXISTS = {
  '': 'exists already',
  deleted:
    'exists already, deleted; UndeleteSession brings it back, DeleteSession with `permanent` frees its id',
  undeleted: 'is not deleted',
};

/** `SESSION_DELETED`: NOT_FOUND to somebody who reads, FAILED_PRECONDITION to somebody who writes. */
export function sessionDeleted(sessionId: string, during: 'read' | 'write'): ParleyError {
  const hint = during === 'write' ? '; UndeleteSession brings it back' : '';
  return new ParleyError('SESSION_DELETED', `session ${JSON.stringify(sessionId)} is deleted${hint}`, {
    code: during === 'write' ? 'FAILED_PRECONDITION' : 'NOT_FOUND',
    resource: { type: 'parley.v1.Session', name: sessionId },
  });
}

/** Whether an error is one of ours, for this reason. */
export function isOf(error: unknown, reason: Reason): boolean {
  return error instanceof ParleyError && error.reason === reason;
}

/** Whether the storage does not answer, and will again. */
export function isUnavailable(error: unknown): boolean {
  return isOf(error, 'STORAGE_UNAVAILABLE');
}

/** ABORTED `ETAG_MISMATCH`: read again, and decide again. */
export function etagMismatch(what: 'session' | 'configs'): ParleyError {
  return new ParleyError('ETAG_MISMATCH', `the ${what} changed since this etag was read`);
}

/** UNAVAILABLE `SERVER_STOPPING`: go on with another one. */
export function serverStopping(): ParleyError {
  return new ParleyError('SERVER_STOPPING', 'the server is shutting down; go on with another one', {
    retryAfterMs: 1000,
  });
}
