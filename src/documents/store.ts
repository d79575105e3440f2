/** What the domain needs of a store of documents; `redis/` provides it. */
import type { Micros, SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import type { Document, NewDocument } from './document.ts';
import type { Ranked, WordHits } from './ranking.ts';

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

/** A chunk to store. */
export interface NewChunk {
  readonly text: string;
  /** Its words as they are searched, the title's among them. */
  readonly words: readonly string[];
  /** Undefined: it is found by its words alone. */
  readonly vector: Vector | undefined;
}

/** What a text means to one embedding model. */
export interface Vector {
  readonly model: string;
  readonly values: Float32Array;
}

/** Where to look: in a session, or in some of its documents (by `made`). */
export interface Scope {
  readonly key: SessionKey;
  readonly within: readonly string[] | undefined;
}

export interface DocumentStore {
  /** Undefined when there is no session. */
  library(key: SessionKey): Promise<Library | undefined>;
  /** What was answered to this operation, if it came before; REQUEST_ID_REUSED when another did. */
  recall(key: SessionKey, caller: Caller): Promise<Document | undefined>;
  /** Stores a document with its chunks, in one step as everybody sees it. */
  create(
    key: SessionKey,
    documentId: string,
    document: NewDocument,
    chunks: readonly NewChunk[],
    caller: Caller,
  ): Promise<Document>;
  /** Undefined when there is none; SESSION_NOT_FOUND and SESSION_DELETED as they are. */
  read(key: SessionKey, documentId: string): Promise<(Document & { readonly content: string }) | undefined>;
  /** Documents but for their content; those that are gone are left out. */
  readMany(key: SessionKey, documentIds: readonly string[]): Promise<Document[]>;
  /** False when there was none. */
  delete(key: SessionKey, documentId: string, allowMissing: boolean, caller: Caller): Promise<void>;
  /** For each word the passages that have it. */
  having(scope: Scope, words: readonly string[]): Promise<WordHits[]>;
  /** The passages nearest to a vector, the best first, scored by cosine similarity. */
  nearest(scope: Scope, vector: Vector, count: number): Promise<Ranked[]>;
  /** The texts of passages, in the same order; undefined for one that is gone. */
  texts(key: SessionKey, chunks: readonly string[]): Promise<(string | undefined)[]>;
}
