/** Sessions as RedisJSON documents: implements the domain's store. */

import { ParleyError } from '../errors.ts';
import {
  type ConfigsRevision,
  endTime,
  type Milliseconds,
  type Session,
  type SessionKey,
} from '../sessions/session.ts';
import type { Caller, Decision, RevisionLog, SessionQuery, SessionStore } from '../sessions/store.ts';
import { stringify } from '../structs/json.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { Mutations, type Outcome } from './mutations.ts';
import { purgeSession, type Script, writeSession } from './scripts.ts';
import { fromDocument, toDocument } from './session_document.ts';
import { SessionPages } from './session_pages.ts';

/** How many configs revisions are kept, the current one included. */
const KEPT_REVISIONS = 100;
/** How long an answer is remembered by its request id. */
const ANSWER_LIFETIME: Milliseconds = 24 * 60 * 60 * 1000;
/** Documents read in one go: enough to be fast, few enough that Redis can turn to others in between. */
const READ_BATCH = 100;

export class RedisSessions implements SessionStore, RevisionLog {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #mutations = new Mutations();
  readonly #pages: SessionPages;

  constructor(redis: Connection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
    this.#pages = new SessionPages(redis, keys, (found) => this.readMany(found));
  }

  async read(key: SessionKey): Promise<Session | undefined> {
    return fromDocument(await this.#redis.call('JSON.GET', this.#keys.session(key)));
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
    const steps = {
      load: () => this.#load<T>(key, caller),
      write: (base: Session | undefined, decision: Decision<T>) => this.#write(key, caller, base, decision),
    };
    return this.#mutations.run(
      this.#keys.session(key),
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
    const past = (entries as [string, string[]][]).map(
      ([, fields]) => JSON.parse(fields[1]!) as ConfigsRevision,
    );
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
    const remember = operation
      ? [field(operation), operation.fingerprint, stringify(answer), ANSWER_LIFETIME]
      : ['', '', '', 0];
    const etag = base?.etag ?? '';
    const [script, args]: [Script, (string | number)[]] =
      write === null
        ? [purgeSession, [etag, ...remember]]
        : [writeSession, [etag, ...documentArguments(base, write), ...remember]];
    const keys = [this.#keys.session(key), this.#keys.revisions(key), this.#keys.operations(key)];
    const [code, value] = (await this.#redis.run(script, keys, [...args, this.#keys.live(key)])) as [
      number,
      string?,
    ];
    switch (code) {
      case 1:
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
}

/** ARGV 2 to 6 of write_session: the document, its end, and the revision that goes into the log. */
function documentArguments(base: Session | undefined, write: Session | undefined): (string | number)[] {
  if (!write) return ['', '', '', '', 0];
  const end = endTime(write);
  const outgoing =
    base && base.configs.revision > 0 && write.configs.revision > base.configs.revision
      ? base.configs
      : undefined;
  return [
    toDocument(write),
    end === undefined ? '' : Math.ceil(end / 1000),
    outgoing?.revision ?? '',
    outgoing ? stringify(outgoing) : '',
    KEPT_REVISIONS - 1,
  ];
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
