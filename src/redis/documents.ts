/** Documents as hashes beside their session: implements the domain's store. */
import {
  type Document,
  documentExists,
  documentNotFound,
  MAX_CHUNKS,
  MAX_DOCUMENTS,
  type NewDocument,
  tooManyDocuments,
} from '../documents/document.ts';
import type { Ranked } from '../documents/ranking.ts';
import type { DocumentStore, Entry, Library, Place, Prepared, Scope, Vector } from '../documents/store.ts';
import type { DocumentText } from '../documents/word_table.ts';
import { ParleyError, sessionDeleted, sessionNotFound } from '../errors.ts';
import { now } from '../sessions/clock.ts';
import { randomBytes } from '../sessions/random.ts';
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import { tokens } from '../structs/containment.ts';
import { stringify } from '../structs/json.ts';
import { answerSlot, recallAnswer } from './answers.ts';
import type { Connection } from './connection.ts';
import { ensureVectorField, vectorField } from './document_index.ts';
import { chunkText, chunkTexts, fieldsOf, textFields, wholeText } from './document_text.ts';
import type { Keys } from './keys.ts';
import { refusal } from './refusals.ts';
import { createDocument, deleteDocument, stageVectors } from './scripts.ts';
import { VectorSearch } from './vector_search.ts';

/** Vectors stored in one step: Redis is at others' service every few milliseconds. */
const STAGED_AT_ONCE = 32;
/** How long vectors wait for their document. */
const STAGED_LIFETIME: Milliseconds = 10 * 60 * 1000;

export class RedisDocuments implements DocumentStore {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #search: VectorSearch;
  /** The vector fields that are known to be in the index. */
  readonly #fields = new Set<string>();

  constructor(redis: Connection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#search = new VectorSearch(redis, keys);
    redis.on('up', () => this.#fields.clear()); // it may have lost its memory
  }

  async library(key: SessionKey): Promise<Library | undefined> {
    const [deleted, list] = await Promise.all([
      this.#redis.call('HGET', this.#keys.log(key), 'deleted'),
      this.#redis.call('HGETALL', this.#keys.documents(key)),
    ]);
    if (deleted === null) return undefined;
    const lines = list as string[];
    const entries: Entry[] = [];
    for (let at = 0; at < lines.length; at += 2) entries.push(parseEntry(lines[at]!, lines[at + 1]!));
    return { deleted: deleted === '1', entries };
  }

  async recall(key: SessionKey, { operation }: Caller): Promise<Document | undefined> {
    const remembered = await recallAnswer(this.#redis, this.#keys.operations(key), operation);
    return remembered === undefined ? undefined : (JSON.parse(remembered) as Document);
  }

  async create(
    key: SessionKey,
    documentId: string,
    { title, metadata, content }: NewDocument,
    { chunks, vectors = [] }: Prepared,
    caller: Caller,
  ): Promise<Document> {
    const made = randomBytes(8).toString('hex');
    const createTime = now();
    const about: Document = { documentId, title, metadata, createTime, chunkCount: chunks.length };
    const prefix = `${this.#keys.vectorPrefix(key)}${made}/`;
    const of = `${sessionToken(key)},${made}`;
    if (vectors[0]) await this.#ensureField(vectors[0]);
    const staged = await this.#stage(key, prefix, of, vectors, caller);
    const answer = await this.#change(
      createDocument,
      key,
      documentId,
      caller,
      [this.#keys.document(key, documentId)],
      [
        made,
        stringify(about),
        chunks.length,
        MAX_DOCUMENTS,
        MAX_CHUNKS,
        prefix,
        of,
        staged,
        ...textFields(content, chunks),
        ...vectors.slice(staged).flatMap(written),
      ],
    );
    return JSON.parse(answer) as Document;
  }

  async read(key: SessionKey, documentId: string) {
    const [deleted, entry, stored] = (await Promise.all([
      this.#redis.call('HGET', this.#keys.log(key), 'deleted'),
      this.#redis.call('HGET', this.#keys.documents(key), documentId),
      this.#redis.call('HGETALL', this.#keys.document(key, documentId)),
    ])) as [string | null, string | null, unknown];
    if (deleted === null) throw sessionNotFound(key.sessionId);
    if (deleted === '1') throw sessionDeleted(key.sessionId, 'read');
    const fields = fieldsByName(stored);
    if (entry === null || fields.size === 0) return undefined;
    const document = JSON.parse(fields.get('about')!) as Document;
    return { ...document, content: wholeText(fields, document.chunkCount) };
  }

  async readMany(key: SessionKey, documentIds: readonly string[]): Promise<Document[]> {
    const read = (id: string) => this.#redis.call('HGET', this.#keys.document(key, id), 'about');
    const found = await Promise.all(documentIds.map(read));
    return found.flatMap((about) => (typeof about === 'string' ? [JSON.parse(about) as Document] : []));
  }

  async delete(key: SessionKey, documentId: string, allowMissing: boolean, caller: Caller): Promise<void> {
    await this.#change(deleteDocument, key, documentId, caller, [], [allowMissing ? '1' : '']);
  }

  async text(key: SessionKey, { documentId, made }: Entry): Promise<DocumentText | undefined> {
    const fields = fieldsByName(await this.#redis.call('HGETALL', this.#keys.document(key, documentId)));
    if (fields.get('made') !== made) return undefined;
    const { title, chunkCount } = JSON.parse(fields.get('about')!) as Document;
    return { title, chunks: chunkTexts(fields, chunkCount) };
  }

  async nearest({ key, within }: Scope, vector: Vector, count: number): Promise<Ranked[]> {
    if (isNothing(vector)) return [];
    await this.#ensureField(vector);
    return this.#search.nearest(key, within ?? [sessionToken(key)], vector, count);
  }

  passages(key: SessionKey, places: readonly Place[]) {
    return Promise.all(places.map((place) => this.#passage(key, place)));
  }

  async #passage(key: SessionKey, { entry, index }: Place) {
    const document = this.#keys.document(key, entry.documentId);
    const fields = ['made', 'about', ...fieldsOf(index)];
    const reply = (await this.#redis.call('HMGET', document, ...fields)) as (string | null)[];
    const [made, about, own, next] = reply as [string | null, string, string, string | null];
    if (made !== entry.made) return undefined;
    return { document: JSON.parse(about) as Document, text: chunkText(own, next) };
  }

  /** Stores all vectors but the last ones, which come with the document; how many it were. */
  async #stage(
    key: SessionKey,
    prefix: string,
    of: string,
    vectors: readonly Vector[],
    caller: Caller,
  ): Promise<number> {
    let staged = 0;
    for (; staged + STAGED_AT_ONCE < vectors.length; staged += STAGED_AT_ONCE) {
      caller.throwIfOver();
      const batch = vectors.slice(staged, staged + STAGED_AT_ONCE).flatMap(written);
      const common = [prefix, staged, of, STAGED_LIFETIME];
      await this.#redis.run(stageVectors, [this.#keys.log(key)], [...common, ...batch]);
    }
    return staged;
  }

  async #ensureField(vector: Vector): Promise<void> {
    const field = vectorField(vector);
    if (this.#fields.has(field)) return;
    await ensureVectorField(this.#redis, this.#keys, vector);
    this.#fields.add(field);
  }

  /** Runs a script that changes the list of documents; its answer. */
  async #change(
    script: typeof createDocument,
    key: SessionKey,
    documentId: string,
    { operation }: Caller,
    more: readonly string[],
    args: (string | number | Buffer)[],
  ): Promise<string> {
    const keys = [...this.#keys.ofSession(key), this.#keys.documents(key), ...more];
    const common = [...answerSlot(operation), now(), documentId];
    const [code, value = ''] = (await this.#redis.run(script, keys, [...common, ...args])) as [
      number,
      string?,
    ];
    switch (code) {
      case 1:
      case 2:
        return value;
      case -6:
        throw tooManyDocuments();
      case -15:
        throw documentExists(documentId);
      case -16:
        throw new ParleyError('STORAGE_UNAVAILABLE', 'storing the document took too long', {
          retryAfterMs: 1000,
        });
      case -17:
        throw documentNotFound(documentId);
      default:
        throw refusal(code, key, operation);
    }
  }
}

/** What all vectors of a session are found by, and those of no other: sessions of another namespace included. */
function sessionToken({ namespace, sessionId }: SessionKey): string {
  return tokens([{ scope: `${namespace}/documents`, value: sessionId }])[0]!;
}

/** As vectors.lua takes it. */
function written(vector: Vector): (string | Buffer)[] {
  return isNothing(vector) ? ['', ''] : [vectorField(vector), bytesOf(vector)];
}

/** A vector of zeros has no direction, and nothing is near it. */
function isNothing({ values }: Vector): boolean {
  return values.every((value) => value === 0);
}

function bytesOf({ values: { buffer, byteOffset, byteLength } }: Vector): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Of a reply of HGETALL. */
function fieldsByName(reply: unknown): Map<string, string> {
  const stored = reply as string[];
  const fields = new Map<string, string>();
  for (let at = 0; at < stored.length; at += 2) fields.set(stored[at]!, stored[at + 1]!);
  return fields;
}

/** A line of the list: how it was made, when, how many chunks (and vectors) it has. */
function parseEntry(documentId: string, line: string): Entry {
  const [made, createTime, chunkCount] = line.split(' ') as [string, string, string];
  return { documentId, made, createTime: Number(createTime), chunkCount: Number(chunkCount) };
}
