/** What the domain needs of a store of documents; `redis/` provides it. */
import type { Micros, SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import type { Document, NewDocument } from './document.ts';
import type { Ranked } from './ranking.ts';
import type { DocumentText } from './word_table.ts';

/** A document as the list of its session has it. */
export interface Entry {
  readonly documentId: string;
  /** Names this making of it: its chunks are known by it, and those of another that had the id are not its. */
  readonly made: string;
  readonly createTime: Micros;
  readonly chunkCount: number;
}

/** All documents of a session. */
export interface Library {
  readonly deleted: boolean;
  readonly entries: readonly Entry[];
}

/** What is made of a document to be stored with it. */
export interface Prepared {
  /** The stretches of its content, from the beginning to the end, each sharing some with the next one alone. */
  readonly chunks: readonly { readonly from: number; readonly to: number }[];
  /** Of each chunk; undefined: the document is found by its words alone. */
  readonly vectors: readonly Vector[] | undefined;
}

/** What a text means to one embedding model. */
export interface Vector {
  readonly model: string;
  readonly values: Float32Array;
}

/** Where to look for vectors: in a session, or in some of its documents (by `made`). */
export interface Scope {
  readonly key: SessionKey;
  readonly within: readonly string[] | undefined;
}

/** A chunk of a document. */
export interface Place {
  readonly entry: Entry;
  readonly index: number;
}

export interface DocumentStore {
  /** Undefined when there is no session. */
  library(key: SessionKey): Promise<Library | undefined>;
  /** What was answered to this operation, if it came before; REQUEST_ID_REUSED when another did. */
  recall(key: SessionKey, caller: Caller): Promise<Document | undefined>;
  /** Stores a document with what it is found by, in one step as everybody sees it. */
  create(
    key: SessionKey,
    documentId: string,
    document: NewDocument,
    prepared: Prepared,
    caller: Caller,
  ): Promise<Document>;
  /** Undefined when there is none; SESSION_NOT_FOUND and SESSION_DELETED as they are. */
  read(key: SessionKey, documentId: string): Promise<(Document & { readonly content: string }) | undefined>;
  /** Documents but for their content; those that are gone are left out. */
  readMany(key: SessionKey, documentIds: readonly string[]): Promise<Document[]>;
  /** False when there was none. */
  delete(key: SessionKey, documentId: string, allowMissing: boolean, caller: Caller): Promise<void>;
  /** All there is to read of a document; undefined when it is gone. */
  text(key: SessionKey, entry: Entry): Promise<DocumentText | undefined>;
  /** The passages nearest to a vector, the best first, scored by cosine similarity. */
  nearest(scope: Scope, vector: Vector, count: number): Promise<Ranked[]>;
  /** The texts of chunks with the documents they are of, in the same order; undefined for one that is gone. */
  passages(
    key: SessionKey,
    places: readonly Place[],
  ): Promise<({ readonly document: Document; readonly text: string } | undefined)[]>;
}
