/** What the domain needs of a store of documents; `redis/` provides it. */
import type { Micros, SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import type { Document, NewDocument } from './document.ts';
import type { Ranked } from './ranking.ts';
import type { WordTable } from './word_table.ts';

/** A document as the list of its session has it. */
export interface Entry {
  readonly documentId: string;
  /** Names this making of it: its chunks are known by it, and those of another that had the id are not its. */
  readonly made: string;
  readonly createTime: Micros;
  readonly chunkCount: number;
  /** How many words its chunks have together. */
  readonly words: number;
}

/** All documents of a session. */
export interface Library {
  readonly deleted: boolean;
  readonly entries: readonly Entry[];
}

/** What is stored with a document so that it is found. */
export interface Prepared {
  /** The stretches of its content, from the beginning to the end, each sharing some with the next one alone. */
  readonly chunks: readonly { readonly from: number; readonly to: number }[];
  /** How many words they have together. */
  readonly wordCount: number;
  /** As {@link WordTable} reads it. */
  readonly wordTable: string;
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
  /** The words of documents, in the same order; undefined for one that is gone. */
  wordTables(key: SessionKey, entries: readonly Entry[]): Promise<(WordTable | undefined)[]>;
  /** The passages nearest to a vector, the best first, scored by cosine similarity. */
  nearest(scope: Scope, vector: Vector, count: number): Promise<Ranked[]>;
  /** The texts of chunks with the documents they are of, in the same order; undefined for one that is gone. */
  passages(
    key: SessionKey,
    places: readonly Place[],
  ): Promise<({ readonly document: Document; readonly text: string } | undefined)[]>;
}
