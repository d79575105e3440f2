/** Sessions as RedisJSON documents: implements the domain's store. */
import { LRUCache } from 'lru-cache';

import { ParleyError } from '../errors.ts';
import { endTime, isDeleted, type Milliseconds, type Session, type SessionKey } from '../sessions/session.ts';
import type { Caller, Decision, RevisionLog, SessionQuery, SessionStore } from '../sessions/store.ts';
import { stringify } from '../structs/json.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { Mutations, type Outcome } from './mutations.ts';
import { purgeSession, writeSession } from './scripts.ts';
import { fromDocument, fromRevision, toDocument } from './session_document.ts';
import { SessionPages } from './session_pages.ts';

/** How many configs revisions are kept, the current one included. */
const KEPT_REVISIONS = 100;
/** How long an answer is remembered by its request id. */
const ANSWER_LIFETIME: Milliseconds = 24 * 60 * 60 * 1000;
/** What is kept of recent sessions, as JSON. */
const RECENT_BYTES = 4 * 1024 * 1024;
/** Documents read in one go: enough to be fast, few enough that Redis can turn to others in between. */
const READ_BATCH = 100;

/** How sessions are encoded for those who ask for them; `services/` knows. */
export interface SessionEncoder {
  /** Names the encoding: what another one wrote is not passed on. */
  readonly schema: string;
  encode(session: Session): Buffer;
}

export class RedisSessions implements SessionStore, RevisionLog {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #encoder: SessionEncoder;
  readonly #mutations = new Mutations();
  readonly #pages: SessionPages;
  /** What this process last wrote, to decide on without asking first: the script checks that it still holds. */
  readonly #recent = new LRUCache<string, Session>({
    maxSize: RECENT_BYTES,
    maxEntrySize: RECENT_BYTES / 64,
  });

  constructor(redis: Connection, keys: Keys, encoder: SessionEncoder) {
    this.#redis = redis;
    this.#keys = keys;
    this.#encoder = encoder;
    this.#pages = new SessionPages(redis, keys, (found) => this.readMany(found));
  }

  async read(key: SessionKey): Promise<Session | undefined> {
    return fromDocument(await this.#redis.call('JSON.GET', this.#keys.session(key)));
  }

  async readEncoded(key: SessionKey) {
    const reply = await this.#redis.call('HMGET', this.#keys.log(key), 'session', 'schema', 'deleted');
    const [encoded, schema, deleted] = reply as (string | null)[];
    if (encoded && schema === this.#encoder.schema) {
      return { bytes: Buffer.from(encoded, 'latin1'), deleted: deleted === '1' };
    }
    // Another version of the server wrote it, or there is none.
    const session = await this.read(key);
    return session && { bytes: this.#encoder.encode(session), deleted: isDeleted(session) };
  }

  async readMany(keys: readonly SessionKey[]): Promise<(Session | undefined)[]> {
    const sessions: (Session | undefined)[] = [];
    for (let at = 0; at < keys.length; at += READ_BATCH) {
      sessions.push(...(await Promise.all(keys.slice(at, at + READ_BATCH).map((key) => this.read(key)))));
    }
    return sessions;
  }

  find(query: SessionQuery, signal: AbortSignal): AsyncIterable<Session> {
    return this.#pages.find(query, signal);
  }

  mutate<T>(
    key: SessionKey,
    caller: Caller,
    decide: (current: Session | undefined) => Decision<T>,
    expect?: 'absent',
  ): Promise<T> {
    const id = this.#keys.session(key);
    const steps = {
      recall: () => this.#recent.get(id),
      load: () => this.#load<T>(key, caller),
      write: (base: Session | undefined, decision: Decision<T>) => this.#write(key, caller, base, decision),
    };
    return this.#mutations.run(
      id,
      caller,
      decide,
      steps,
      expect === 'absent' ? { session: undefined } : undefined,
    );
  }

  async revisions(key: SessionKey, from: number) {
    // In this order: whatever is older than the session we got is in the log when we read it.
    const [session, entries] = await Promise.all([
      this.read(key),
      this.#redis.call('XRANGE', this.#keys.revisions(key), `${from}-0`, '+'),
    ]);
    if (!session) return undefined;
    const past = (entries as [string, string[]][]).map(([, fields]) => fromRevision(fields[1]!));
    const revisions = past.filter(({ revision }) => revision < session.configs.revision);
    if (session.configs.revision >= from) revisions.push(session.configs);
    return { session, revisions };
  }

  async #load<T>(
    key: SessionKey,
    { operation }: Caller,
  ): Promise<{ session: Session | undefined } | { replay: T }> {
    const [session, remembered] = await Promise.all([
      this.read(key),
      operation && this.#redis.call('HGET', this.#keys.operations(key), field(operation)),
    ]);
    if (!operation || typeof remembered !== 'string') return { session };
    if (!remembered.startsWith(operation.fingerprint)) throw requestIdReused(operation.requestId);
    return { replay: JSON.parse(remembered.slice(operation.fingerprint.length)) as T };
  }

  async #write<T>(
    key: SessionKey,
    { operation }: Caller,
    base: Session | undefined,
    { answer, write }: Decision<T>,
  ): Promise<Outcome<T>> {
    const keys = [
      this.#keys.session(key),
      this.#keys.operations(key),
      this.#keys.revisions(key),
      this.#keys.log(key),
    ];
    const remember = operation
      ? [field(operation), operation.fingerprint, stringify(answer), ANSWER_LIFETIME]
      : ['', '', '', 0];
    const common = [base?.etag ?? '', ...remember, this.#keys.live(key)];
    const document = write ? toDocument(write) : '';
    // Nobody decides on what may not be there: it is recent again once Redis has it.
    this.#recent.delete(keys[0]!);
    const [code, value] = (await (write === null
      ? this.#redis.run(purgeSession, keys, common)
      : this.#redis.run(writeSession, keys, [
          ...common,
          document,
          ...this.#writeArguments(base, write),
        ]))) as [number, string?];
    switch (code) {
      case 1:
        if (write) this.#recent.set(keys[0]!, write, { size: document.length });
        return { kind: 'done' };
      case 2:
        return { kind: 'replay', answer: JSON.parse(value!) as T };
      case -1:
        return { kind: 'conflict', current: fromDocument(value) };
      case -2:
        throw requestIdReused(operation!.requestId);
      default:
        throw new Error(`a script returned ${code}`);
    }
  }

  /** ARGV 8 to 13 of write_session. Bytes go as text, a character each: one Buffer makes ioredis slow for all. */
  #writeArguments(base: Session | undefined, write: Session | undefined): (string | number)[] {
    if (!write) return ['', '', '', '', '', 0];
    const end = endTime(write);
    const outgoing = base && write.configs.revision > base.configs.revision ? base.configs.revision : 0;
    return [
      this.#encoder.encode(write).toString('latin1'),
      this.#encoder.schema,
      isDeleted(write) ? '1' : '0',
      end === undefined ? '' : Math.ceil(end / 1000),
      outgoing || '',
      KEPT_REVISIONS - 1,
    ];
  }
}

function field({ method, requestId }: { method: string; requestId: string }): string {
  return `${method}:${requestId}`;
}

function requestIdReused(requestId: string): ParleyError {
  return new ParleyError(
    'REQUEST_ID_REUSED',
    `request_id ${JSON.stringify(requestId)} came with another request before`,
  );
}
