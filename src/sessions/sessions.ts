/** What SessionService promises, without gRPC and without Redis. */
import type { TurnLog } from '../chat/turns.ts';
import { alreadyExists, ParleyError, sessionDeleted, sessionNotFound } from '../errors.ts';
import type { Templates } from '../templates/template.ts';
import { authorOf, changed, checkEtag, readable, touched, writable } from './changes.ts';
import { now } from './clock.ts';
import { forkSession } from './fork.ts';
import { madeId } from './made_id.ts';
import { bound, type NewParticipant, unbound } from './participants.ts';
import {
  type ActiveSession,
  isBound,
  isDeleted,
  type Milliseconds,
  type Participant,
  type Session,
  type SessionKey,
} from './session.ts';
import { type NewSession, newSession, type SessionUpdate, updated } from './settings.ts';
import {
  type Caller,
  type Decision,
  type EncodedSession,
  type Mutated,
  type RunEnder,
  type SessionQuery,
  type SessionStore,
  whenIdle,
} from './store.ts';
import { TemplateChecks } from './template_checks.ts';

/** Sessions read at a time. */
const BATCH = 50;
/** What a batch may take together: a gRPC client takes 4 MiB by default. */
const MAX_BATCH_BYTES = 3 * 1024 * 1024;

export class Sessions {
  readonly #store: SessionStore;
  readonly #log: TurnLog;
  readonly #runs: RunEnder;
  readonly #retention: Milliseconds;
  readonly #templates: Pick<Templates, 'check'>;

  /** `retention`: how long a deleted session is kept. */
  constructor(
    store: SessionStore,
    log: TurnLog,
    retention: Milliseconds,
    templates: Pick<Templates, 'check'>,
    runs: RunEnder,
  ) {
    this.#store = store;
    this.#log = log;
    this.#runs = runs;
    this.#retention = retention;
    this.#templates = templates;
  }

  /** Creates a session; an empty `sessionId` lets the server make one. */
  create(key: SessionKey, input: NewSession, allowExisting: boolean, caller: Caller) {
    const named = { ...key, sessionId: key.sessionId || madeId(key.namespace, caller) };
    const session = newSession(named, input, authorOf(caller));
    return TemplateChecks.during(this.#templates, key, caller, (checks) =>
      this.#store.mutate<{ session: Session; created: boolean }>(
        named,
        caller,
        (current) => {
          if (!current) {
            checks.created(input);
            return { write: session, answer: { session, created: true } };
          }
          if (!allowExisting) throw alreadyExists(current.sessionId, isDeleted(current) ? 'deleted' : '');
          if (isDeleted(current)) throw sessionDeleted(current.sessionId, 'write');
          return { answer: { session: current, created: false } };
        },
        'absent',
      ),
    );
  }

  /** The session as it is answered. */
  async getEncoded(key: SessionKey, includeDeleted: boolean): Promise<EncodedSession> {
    const found = await this.#store.readEncoded(key);
    if (!found) throw sessionNotFound(key.sessionId);
    if (found.deleted && !includeDeleted) throw sessionDeleted(key.sessionId, 'read');
    return found;
  }

  /** The sessions there are, as they are answered, and the ids there is nothing for; each id once. */
  async getManyEncoded(namespace: string, ids: readonly string[], includeDeleted: boolean) {
    const sessions: EncodedSession[] = [];
    const missing: string[] = [];
    const unique = [...new Set(ids)];
    let bytes = 0;
    for (let at = 0; at < unique.length; at += BATCH) {
      const batch = unique.slice(at, at + BATCH);
      const found = await Promise.all(
        batch.map((sessionId) => this.#store.readEncoded({ namespace, sessionId })),
      );
      for (const [index, session] of found.entries()) {
        if (session && (includeDeleted || !session.deleted)) sessions.push(session);
        else missing.push(batch[index]!);
        bytes += session?.bytes.length ?? 0;
      }
      if (bytes > MAX_BATCH_BYTES) throw batchTooLarge();
    }
    return { sessions, missing };
  }

  /** The sessions that match, in order, found as they are asked for. */
  list(query: SessionQuery, signal: AbortSignal): AsyncIterable<ActiveSession> {
    return this.#store.find(query, signal);
  }

  update(key: SessionKey, update: SessionUpdate, caller: Caller): Promise<Mutated<Session>> {
    return TemplateChecks.during(this.#templates, key, caller, (checks) =>
      this.#store.mutate(key, caller, (current) => {
        const session = writable(current, key, update.etag);
        const next = updated(session, update, authorOf(caller));
        checks.updated(session, next, update);
        return { answer: next, ...(next !== session && { write: next }) };
      }),
    );
  }

  /** Deletes; the answer is the session, `null` when there was none and that is no error. */
  delete(
    key: SessionKey,
    { permanent, allowMissing, etag }: { permanent: boolean; allowMissing: boolean; etag: string },
    caller: Caller,
  ): Promise<Mutated<Session | null>> {
    const decide = (current: Session | undefined): Decision<Session | null> => {
      if (!current) {
        if (allowMissing) return { answer: null };
        throw sessionNotFound(key.sessionId);
      }
      if (isDeleted(current) && !permanent) {
        if (allowMissing) return { answer: current };
        throw sessionDeleted(key.sessionId, 'read');
      }
      checkEtag(current, etag);
      if (permanent) return { write: null, answer: current };
      const deleteTime = now();
      const deleted = changed(current, { deleteTime, purgeTime: deleteTime + this.#retention * 1000 });
      return { write: deleted, answer: deleted, idle: true };
    };
    return whenIdle(this.#runs, key, 'KEEP', () => this.#store.mutate(key, caller, decide));
  }

  undelete(key: SessionKey, etag: string, caller: Caller): Promise<Mutated<Session>> {
    return this.#store.mutate(key, caller, (current) => {
      if (!current) throw sessionNotFound(key.sessionId);
      if (!isDeleted(current)) throw alreadyExists(current.sessionId, 'undeleted');
      checkEtag(current, etag);
      const next = changed(current, { deleteTime: undefined, purgeTime: undefined });
      return { write: next, answer: next };
    });
  }

  /** Copies a session with its turns through a seq (absent: all); an empty `newId` lets the server make one. */
  fork(
    source: SessionKey,
    newId: string,
    throughSeq: number | undefined,
    caller: Caller,
  ): Promise<Mutated<Session>> {
    const target = {
      ...source,
      sessionId: newId || madeId(`${source.namespace}/${source.sessionId}`, caller),
    };
    const fork = { store: this.#store, log: this.#log, source, target, throughSeq };
    return forkSession(fork, authorOf(caller), caller);
  }

  bindParticipant(key: SessionKey, participant: NewParticipant, etag: string, caller: Caller) {
    return TemplateChecks.during(this.#templates, key, caller, (checks) =>
      this.#store.mutate<{ participant: Participant; created: boolean }>(
        key,
        caller,
        (current, lastTurnSeq) => {
          const session = writable(current, key, etag);
          checks.bound(session, participant.instructions);
          const { rows, created } = bound(session.participants, participant, lastTurnSeq, now());
          return {
            ...rowsChanged(session, rows),
            atSeq: true,
            answer: { participant: row(rows, participant.participantId), created },
          };
        },
      ),
    );
  }

  unbindParticipant(
    key: SessionKey,
    participantId: string,
    etag: string,
    caller: Caller,
  ): Promise<Mutated<Participant>> {
    return this.#store.mutate(key, caller, (current, lastTurnSeq) => {
      const session = writable(current, key, etag);
      const rows = unbound(session.participants, participantId, lastTurnSeq, now());
      return { ...rowsChanged(session, rows), atSeq: true, answer: row(rows, participantId) };
    });
  }

  async participants(key: SessionKey, includeUnbound: boolean): Promise<Mutated<Participant[]>> {
    const found = await this.#store.readActive(key);
    const { participants } = readable(found?.session, key);
    const answer = participants.filter((participant) => includeUnbound || isBound(participant));
    return { answer, activity: found!.activity };
  }

  /** Back to a clean state: no turns, no data, nothing learnt. */
  truncate(key: SessionKey, etag: string, caller: Caller): Promise<Mutated<Session>> {
    const decide = (current: Session | undefined): Decision<Session> => {
      const next = touched(writable(current, key, etag), { data: {} });
      return { write: next, reset: 'TRUNCATED', answer: next, idle: true };
    };
    return whenIdle(this.#runs, key, 'DROP', () => this.#store.mutate(key, caller, decide));
  }
}

function rowsChanged(session: Session, rows: readonly Participant[]): { write?: Session } {
  const next = changed(session, { participants: rows });
  return next === session ? {} : { write: next };
}

function row(rows: readonly Participant[], id: string): Participant {
  return rows.find(({ participantId }) => participantId === id)!;
}

function batchTooLarge(): ParleyError {
  return new ParleyError(
    'QUOTA_EXCEEDED',
    `these sessions take more than ${MAX_BATCH_BYTES} bytes; ask for fewer`,
  );
}
