/** Sessions as RedisJSON documents: implements the domain's store. */
import { LRUCache } from 'lru-cache';
import {
  type ActiveSession,
  isDeleted,
  type Session,
  type SessionKey,
  slidingTtl,
} from '../sessions/session.ts';
import {
  type Caller,
  type Decision,
  type EncodedSession,
  type Mutated,
  type RevisionLog,
  type SessionQuery,
  type SessionStore,
  withEncoding,
} from '../sessions/store.ts';
import { ACTIVITY_FIELDS, activityOf, NO_ACTIVITY, parseActivity } from './activity.ts';
import { answerToRemember, recallAnswer } from './answers.ts';
import { fromText, toText } from './byte_text.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { type Base, type Decide, Mutations, type Outcome } from './mutations.ts';
import { refusal } from './refusals.ts';
import { revisionsBefore } from './revisions.ts';
import { purgeSession, readRevisions, readSession, writeSession } from './scripts.ts';
import { fromDocument } from './session_document.ts';
import { SessionPages } from './session_pages.ts';
import { writeArguments } from './session_write.ts';

/** What is kept of sessions that were written or read lately, in bytes: of each kind so much. */
const RECENT_BYTES = 4 * 1024 * 1024;
/** The largest of them that is kept. */
const RECENT_ENTRY_BYTES = RECENT_BYTES / 64;
/** Documents read in one go: enough to be fast, few enough that Redis can turn to others in between. */
const READ_BATCH = 100;

/** How sessions are encoded for those who ask for them, but for their activity; `services/` knows. */
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
  /** What this process last changed, to decide on without asking first: the script finds out when it no longer holds. */
  readonly #recent = new LRUCache<string, Base>({
    maxSize: RECENT_BYTES,
    maxEntrySize: RECENT_ENTRY_BYTES,
  });
  /** What this process last read: as long as a session has the same etag it is the same, and Redis need only say so. */
  readonly #encoded = new LRUCache<string, KnownSession>({
    maxSize: RECENT_BYTES,
    maxEntrySize: RECENT_ENTRY_BYTES,
  });

  constructor(redis: Connection, keys: Keys, encoder: SessionEncoder) {
    this.#redis = redis;
    this.#keys = keys;
    this.#encoder = encoder;
    this.#pages = new SessionPages(redis, keys, (found) => this.#readMany(found));
  }

  async read(key: SessionKey): Promise<Session | undefined> {
    return fromDocument(await this.#redis.call('JSON.GET', this.#keys.session(key)));
  }

  async readActive(key: SessionKey): Promise<ActiveSession | undefined> {
    const { session, activity } = await this.#readBase(key);
    return session && { session, activity };
  }

  async readEncoded(key: SessionKey): Promise<EncodedSession | undefined> {
    const log = this.#keys.log(key);
    const known = this.#encoded.get(log);
    const reply = await this.#redis.run(readSession, [log], [known?.etag ?? '']);
    if (known && reply === known.moving) return known.session;
    if (known && typeof reply === 'string') return this.#know(log, known.etag, reply, known.session);
    const [moving, etag, stored] = reply as [string, string, string];
    const encoded = this.#fromStored(stored);
    if (encoded) return this.#know(log, etag, moving, encoded);
    // Another version of the server wrote it, or there is none.
    const active = await this.readActive(key);
    return active && withEncoding(this.#encoder.encode(active.session), active);
  }

  find(query: SessionQuery, signal: AbortSignal): AsyncIterable<ActiveSession> {
    return this.#pages.find(query, signal);
  }

  mutate<T>(key: SessionKey, caller: Caller, decide: Decide<T>, expect?: 'absent'): Promise<Mutated<T>> {
    const id = this.#keys.session(key);
    const steps = {
      recall: () => this.#recent.get(id),
      load: () => this.#load<T>(key, caller),
      write: (base: Base, decision: Decision<T>) => this.#write(key, id, caller, base, decision),
    };
    return this.#mutations.run(id, caller, decide, steps, expect === 'absent' ? ABSENT : undefined);
  }

  async recall<T>(key: SessionKey, { operation }: Caller): Promise<Mutated<T> | undefined> {
    const remembered = await recallAnswer(this.#redis, this.#keys.operations(key), operation);
    return remembered === undefined ? undefined : recalled<T>(remembered);
  }

  async revisions(key: SessionKey, from: number) {
    const keys = [this.#keys.session(key), this.#keys.revisions(key)];
    const [document, ...read] = (await this.#redis.run(readRevisions, keys, [from])) as string[];
    const session = fromDocument(document);
    if (!session) return undefined;
    const entries = new Map<number, string>();
    for (let at = 0; at < read.length; at += 2) entries.set(Number(read[at]), read[at + 1]!);
    const revisions = await revisionsBefore(session.configs, entries);
    if (session.configs.revision >= from) revisions.push(session.configs);
    return { session, revisions };
  }

  async #readBase(key: SessionKey): Promise<Base> {
    const [session, moving] = await Promise.all([
      this.read(key),
      this.#redis.call('HMGET', this.#keys.log(key), ...ACTIVITY_FIELDS),
    ]);
    return { session, activity: activityOf(moving as (string | null)[], session) };
  }

  async #readMany(keys: readonly SessionKey[]): Promise<Base[]> {
    const sessions: Base[] = [];
    for (let at = 0; at < keys.length; at += READ_BATCH) {
      const batch = keys.slice(at, at + READ_BATCH).map((key) => this.#readBase(key));
      sessions.push(...(await Promise.all(batch)));
    }
    return sessions;
  }

  async #load<T>(key: SessionKey, caller: Caller): Promise<Base | { replay: Mutated<T> }> {
    const [base, replay] = await Promise.all([this.#readBase(key), this.recall<T>(key, caller)]);
    return replay ? { replay } : base;
  }

  async #write<T>(
    key: SessionKey,
    id: string,
    { operation }: Caller,
    base: Base,
    decision: Decision<T>,
  ): Promise<Outcome<T>> {
    const { answer, write } = decision;
    const keys = this.#keys.ofSession(key);
    const channel = this.#keys.live(key);
    const remember = answerToRemember(operation, answer);
    const stored = write ? this.#toStored(write) : '';
    if (decision.turns?.copy.name) keys.push(decision.turns.copy.name);
    const [code, value, moving] = (await (write === null
      ? this.#redis.run(purgeSession, keys, [
          base.session?.etag ?? '',
          channel,
          this.#keys.runPrefix(key),
          ...remember,
        ])
      : this.#redis.run(writeSession, keys, [
          ...writeArguments(base, decision, write, channel, stored),
          ...remember,
        ]))) as [number, string, string?];
    switch (code) {
      case 1: {
        const activity = parseActivity(value);
        // Most that are made are left alone for a while; what was changed is likely to be changed again.
        if (write && base.session)
          this.#recent.set(id, { session: write, activity }, { size: stored.length });
        if (write === null) this.#recent.delete(id);
        return { kind: 'done', activity };
      }
      case 2:
        return { kind: 'replay', mutated: recalled<T>(value) };
      case -1:
        return {
          kind: 'conflict',
          current: { session: fromDocument(value), activity: parseActivity(moving!) },
        };
      default:
        throw refusal(code, key, operation, value);
    }
  }

  /** A session as it was read, to be known when it is asked for again. `moving`: its activity, as Redis told it. */
  #know(log: string, etag: string, moving: string, stored: StoredSession): EncodedSession {
    const session = { ...stored, activity: parseActivity(moving) };
    const size = session.bytes.length + moving.length;
    if (etag !== '') this.#encoded.set(log, { etag, moving, session }, { size });
    return session;
  }

  /** A session as it is answered, behind a line about it: one field is read faster than several. */
  #toStored(session: Session): string {
    const about = `${this.#encoder.schema} ${isDeleted(session) ? 1 : 0} ${slidingTtl(session) ?? ''}`;
    return `${about}\n${toText(this.#encoder.encode(session))}`;
  }

  /** Undefined for what is stored under another schema. */
  #fromStored(text: string): StoredSession | undefined {
    const line = text.indexOf('\n');
    const [schema, deleted, sliding] = text.slice(0, line).split(' ');
    if (schema !== this.#encoder.schema) return undefined;
    const ttl = sliding ? Number(sliding) : undefined;
    return { bytes: fromText(text.slice(line + 1)), deleted: deleted === '1', slidingTtl: ttl };
  }
}

/** A session as it was read last. */
interface KnownSession {
  readonly etag: string;
  /** Its activity, as Redis told it. */
  readonly moving: string;
  readonly session: EncodedSession;
}

/** A session as it is answered, but for what moves with every turn. */
type StoredSession = Omit<EncodedSession, 'activity'>;

/** What is there before a session is. */
const ABSENT: Base = { session: undefined, activity: NO_ACTIVITY };

/** An answer as the scripts remember it: the activity, a line, the answer. */
function recalled<T>(text: string): Mutated<T> {
  const line = text.indexOf('\n');
  return { activity: parseActivity(text.slice(0, line)), answer: JSON.parse(text.slice(line + 1)) as T };
}
