/** Documents as the domain knows them: what a session's participants read. */
import { ParleyError } from '../errors.ts';
import type { Micros } from '../sessions/session.ts';
import type { JsonObject } from '../structs/json.ts';

/** A document but for its content. */
export interface Document {
  readonly documentId: string;
  readonly title: string;
  readonly metadata: JsonObject;
  readonly createTime: Micros;
  readonly chunkCount: number;
}

/** A document to store. */
export interface NewDocument extends Pick<Document, 'title' | 'metadata'> {
  readonly content: string;
}

/** What a session holds at most: what one step can purge, and one search look through. */
export const MAX_DOCUMENTS = 1000;
export const MAX_CHUNKS = 10_000;

/** A place in the list of documents, which goes newest first; ties go by id. */
export interface DocumentPosition {
  readonly time: Micros;
  readonly documentId: string;
}

/** Whether something from outside, such as a page token, is a place in the list. */
export function isDocumentPosition(value: unknown): value is DocumentPosition {
  const { time, documentId } = (value ?? {}) as Partial<DocumentPosition>;
  return Number.isSafeInteger(time) && typeof documentId === 'string';
}

/** NOT_FOUND `DOCUMENT_NOT_FOUND`. */
export function documentNotFound(documentId: string): ParleyError {
  return new ParleyError('DOCUMENT_NOT_FOUND', `there is no document ${JSON.stringify(documentId)}`, {
    resource: { type: 'parley.v1.Document', name: documentId },
  });
}

/** ALREADY_EXISTS `DOCUMENT_ALREADY_EXISTS`. */
export function documentExists(documentId: string): ParleyError {
  return new ParleyError('DOCUMENT_ALREADY_EXISTS', `document ${JSON.stringify(documentId)} exists already`, {
    resource: { type: 'parley.v1.Document', name: documentId },
  });
}

/** RESOURCE_EXHAUSTED `QUOTA_EXCEEDED`. */
export function tooManyDocuments(): ParleyError {
  return new ParleyError(
    'QUOTA_EXCEEDED',
    `a session holds at most ${MAX_DOCUMENTS} documents and ${MAX_CHUNKS} chunks of them`,
  );
}
