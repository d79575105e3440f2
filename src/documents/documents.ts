/** What DocumentService promises, without gRPC and without Redis. */
import { ParleyError, sessionDeleted, sessionNotFound } from '../errors.ts';
import type { Embedder } from '../models/embedder.ts';
import { holds } from '../sessions/filter.ts';
import { madeId } from '../sessions/made_id.ts';
import type { SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import { Slices } from '../slices.ts';
import type { JsonObject } from '../structs/json.ts';
import {
  type Document,
  type DocumentPosition,
  documentExists,
  documentNotFound,
  MAX_DOCUMENTS,
  type NewDocument,
  tooManyDocuments,
} from './document.ts';
import { type Interruptible, prepare } from './prepare.ts';
import type { Passage, PassageSearch, SearchMode } from './search.ts';
import { snippet } from './snippet.ts';
import type { DocumentStore, Entry, Library, Vector } from './store.ts';
import { searchedWords } from './words.ts';

/** Documents read and held against a filter at a time. */
const BATCH = 100;

/** For filters and snippets. */
const slices = new Slices();

/** Whoever may be gone before there is an answer. */
type Waiting = Pick<Caller, 'throwIfOver'>;

export interface SearchQuery {
  readonly text: string;
  readonly mode: SearchMode | 'AUTO';
  readonly metadataFilter: JsonObject | undefined;
  readonly limit: number;
}

export interface SearchResult {
  readonly document: Document;
  readonly chunkIndex: number;
  readonly snippet: string;
  readonly score: number;
}

export class Documents {
  readonly #store: DocumentStore;
  readonly #search: PassageSearch;
  readonly #embedder: Embedder | undefined;

  constructor(store: DocumentStore, search: PassageSearch, embedder: Embedder | undefined) {
    this.#store = store;
    this.#search = search;
    this.#embedder = embedder;
  }

  /** Stores a document; an empty `documentId` lets the server make one. The answer is the document but for its content. */
  async create(
    key: SessionKey,
    documentId: string,
    document: NewDocument,
    caller: Caller & Interruptible,
  ): Promise<Document> {
    const id = documentId || madeId(`${key.namespace}/${key.sessionId}/documents`, caller);
    if (this.#embedder) {
      // Vectors cost money: not for what is stored already, or cannot be.
      const known = await this.#store.recall(key, caller);
      if (known) return known;
      const { entries } = await this.#library(key, 'write');
      if (entries.some((entry) => entry.documentId === id)) throw documentExists(id);
      if (entries.length >= MAX_DOCUMENTS) throw tooManyDocuments();
    }
    const chunks = await prepare(document, this.#embedder, caller);
    caller.throwIfOver();
    return this.#store.create(key, id, document, chunks, caller);
  }

  async get(key: SessionKey, documentId: string): Promise<Document & { readonly content: string }> {
    const found = await this.#store.read(key, documentId);
    if (!found) throw documentNotFound(documentId);
    return found;
  }

  /** The documents that match, newest first, read as they are asked for. */
  async *list(
    key: SessionKey,
    filter: JsonObject | undefined,
    after: DocumentPosition | undefined,
    caller: Waiting,
  ): AsyncGenerator<Document> {
    const { entries } = await this.#library(key, 'read');
    const position = after && { createTime: after.time, documentId: after.documentId };
    const rest = entries.toSorted(inOrder).filter((entry) => !position || inOrder(position, entry) < 0);
    for (let at = 0; at < rest.length; at += BATCH) {
      const read = await this.#readMany(key, rest.slice(at, at + BATCH));
      yield* filter ? matching(read, filter, caller) : read;
    }
  }

  delete(key: SessionKey, documentId: string, allowMissing: boolean, caller: Caller): Promise<void> {
    return this.#store.delete(key, documentId, allowMissing, caller);
  }

  /** The documents that go best with a text, each with its best passage. */
  async search(
    key: SessionKey,
    query: SearchQuery,
    caller: Interruptible & Waiting,
  ): Promise<{ results: SearchResult[]; mode: SearchMode }> {
    const mode = this.#modeOf(query.mode);
    const [library, vector] = await Promise.all([
      this.#library(key, 'read'),
      mode === 'TEXT' ? undefined : this.#vectorOf(query.text, caller),
    ]);
    const within = query.metadataFilter && (await this.#matching(key, library, query.metadataFilter, caller));
    if ((within ?? library.entries).length === 0) return { results: [], mode };
    const { text } = query;
    const found = await this.#search.find({ key, library, within, text, vector, mode });
    return { results: await this.#results(key, bestOfEach(found).slice(0, query.limit), text), mode };
  }

  #modeOf(mode: SearchMode | 'AUTO'): SearchMode {
    if (mode === 'AUTO') return this.#embedder ? 'HYBRID' : 'TEXT';
    if (mode === 'TEXT' || this.#embedder) return mode;
    throw new ParleyError(
      'EMBEDDINGS_NOT_CONFIGURED',
      `${mode} needs an embedding model, and this server has none (PARLEY_EMBEDDING_MODEL); TEXT works`,
    );
  }

  async #vectorOf(text: string, { signal }: Interruptible): Promise<Vector> {
    const { model } = this.#embedder!;
    const [values] = await this.#embedder!.embed([text], signal);
    return { model, values: values! };
  }

  async #library(key: SessionKey, to: 'read' | 'write'): Promise<Library> {
    const library = await this.#store.library(key);
    if (!library) throw sessionNotFound(key.sessionId);
    if (library.deleted) throw sessionDeleted(key.sessionId, to);
    return library;
  }

  async #matching(
    key: SessionKey,
    { entries }: Library,
    filter: JsonObject,
    caller: Waiting,
  ): Promise<Entry[]> {
    const found = new Set<string>();
    for (let at = 0; at < entries.length; at += BATCH) {
      const read = await this.#readMany(key, entries.slice(at, at + BATCH));
      for await (const { documentId } of matching(read, filter, caller)) found.add(documentId);
    }
    return entries.filter(({ documentId }) => found.has(documentId));
  }

  #readMany(key: SessionKey, entries: readonly Entry[]): Promise<Document[]> {
    return this.#store.readMany(
      key,
      entries.map(({ documentId }) => documentId),
    );
  }

  async #results(key: SessionKey, passages: readonly Passage[], text: string): Promise<SearchResult[]> {
    const words = new Set(searchedWords(text));
    const found = await this.#store.passages(key, passages);
    const results: SearchResult[] = [];
    for (const [at, { index, score }] of passages.entries()) {
      const passage = found[at];
      if (!passage) continue; // deleted just now
      const due = slices.whenDue();
      if (due) await due;
      const shown = snippet(passage.text, words);
      results.push({ document: passage.document, chunkIndex: index, snippet: shown, score });
    }
    return results;
  }
}

/** Those that match, in order, each found as it is asked for. Gives way to others meanwhile. */
async function* matching(
  documents: readonly Document[],
  filter: JsonObject,
  caller: Waiting,
): AsyncGenerator<Document> {
  for (const document of documents) {
    // One may take longer than a slice: of many who wait, only the first goes on in the next turn.
    for (let due = slices.whenDue(); due; due = slices.whenDue()) {
      await due;
      caller.throwIfOver();
    }
    if (holds('metadata_filter', document.metadata, filter)) yield document;
  }
}

/** Newest first, ties by id. */
function inOrder(one: Pick<Entry, 'createTime' | 'documentId'>, other: typeof one): number {
  return (
    other.createTime - one.createTime ||
    (one.documentId < other.documentId ? -1 : one.documentId > other.documentId ? 1 : 0)
  );
}

/** Of each document the passage that was found first. */
function bestOfEach(passages: readonly Passage[]): Passage[] {
  const best = new Map<Entry, Passage>();
  for (const passage of passages) if (!best.has(passage.entry)) best.set(passage.entry, passage);
  return [...best.values()];
}
