/**
 * Every key in Redis, in one place. Those of one session share a hash tag, so
 * that a cluster keeps them in one slot and one script can reach them all.
 *
 * | key                          | type      | holds                                   | lives            |
 * | ---------------------------- | --------- | --------------------------------------- | ---------------- |
 * | `parley:session:{ns/id}`     | RedisJSON | the session; the only indexed documents | as the session   |
 * | `parley:log:{ns/id}`         | Hash      | what moves with every turn, and the session as it is answered, encoded | as the session |
 * | `parley:turns:{ns/id}`       | Stream    | the turns, those appended together in one entry: see `turn_entries.ts` | as the session |
 * | `parley:insights:{ns/id}`    | Hash      | what the agents learnt: `agent/number`, counted from 1 → the insight as JSON | as the session |
 * | `parley:copy:{ns/id}:<name>` | Stream    | turns of a fork in the making           | 10 minutes       |
 * | `parley:revisions:{ns/id}`   | Stream    | past configs revisions: id = revision → what undoes the next one | as the session |
 * | `parley:ops:{ns/id}`         | Hash      | answers by method and request id        | a field 24 hours, at most as the session |
 * | `parley:run:{ns/id}:<run>`   | Stream    | the events of a run, id = offset        | 24 hours from its end, at most as the session |
 * | `parley:queue:{ns/id}`       | Hash      | who waits for a run: ticket → number and until when | as long as somebody waits |
 * | `parley:docs:{ns/id}`        | Hash      | the list of documents: id → how it was made, when, its chunks and vectors | as the session |
 * | `parley:doc:{ns/id}:<doc>`   | Hash      | a document: how it was made, what is told of it, and its text, chunk by chunk | as the session; a tenth of its ttl longer where that slides |
 * | `parley:vector:{ns/id}:<made>/<n>` | Hash | the vector of one of its chunks; all that the document index covers | as its document; 10 minutes until it is in the list |
 * | `parley:runs`                | Sorted set | sessions that may have a run, by when to look after it | |
 * | `parley:live:{ns/id}`        | channel   | sharded pub/sub, rings on every change  |                  |
 * | `parley:events:{ns/id}`      | channel   | sharded pub/sub, brings the events of runs |               |
 *
 * `parley` stands for `PARLEY_KEY_PREFIX`.
 */
import type { SessionKey } from '../sessions/session.ts';

export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  session(key: SessionKey): string {
    return this.#named('session', slot(key));
  }

  log(key: SessionKey): string {
    return this.#named('log', slot(key));
  }

  turns(key: SessionKey): string {
    return this.#named('turns', slot(key));
  }

  insights(key: SessionKey): string {
    return this.#named('insights', slot(key));
  }

  copy(key: SessionKey, name: string): string {
    return `${this.#named('copy', slot(key))}:${name}`;
  }

  revisions(key: SessionKey): string {
    return this.#named('revisions', slot(key));
  }

  operations(key: SessionKey): string {
    return this.#named('ops', slot(key));
  }

  live(key: SessionKey): string {
    return this.#named('live', slot(key));
  }

  run(key: SessionKey, runId: string): string {
    return `${this.runPrefix(key)}${runId}`;
  }

  /** What the keys of a session's runs begin with. */
  runPrefix(key: SessionKey): string {
    return `${this.#named('run', slot(key))}:`;
  }

  queue(key: SessionKey): string {
    return this.#named('queue', slot(key));
  }

  documents(key: SessionKey): string {
    return this.#named('docs', slot(key));
  }

  document(key: SessionKey, documentId: string): string {
    return `${this.#named('doc', slot(key))}:${documentId}`;
  }

  /** What the keys of the vectors of a session's documents begin with. */
  vectorPrefix(key: SessionKey): string {
    return `${this.#named('vector', slot(key))}:`;
  }

  /** What the document index covers. */
  get vectorsPrefix(): string {
    return `${this.#prefix}:vector:`;
  }

  /** The alias every search of documents by their vectors goes to. */
  get documentIndex(): string {
    return `${this.#prefix}:index:document`;
  }

  /** Of no session: on whichever shard. */
  get runs(): string {
    return `${this.#prefix}:runs`;
  }

  events(key: SessionKey): string {
    return this.#named('events', slot(key));
  }

  /** All keys that live as long as the session, in the order in which the scripts take them. */
  ofSession(key: SessionKey): string[] {
    const own = slot(key);
    return OF_SESSION.map((kind) => this.#named(kind, own));
  }

  /** What the session index covers. */
  get sessionPrefix(): string {
    return `${this.#prefix}:session:`;
  }

  /** The alias every search goes to; versions of the index stand behind it. */
  get sessionIndex(): string {
    return `${this.#prefix}:index:session`;
  }

  /** The session a document's key belongs to. */
  sessionOf(documentKey: string): SessionKey {
    return untag(documentKey.slice(this.sessionPrefix.length + 1, -1));
  }

  #named(kind: string, own: string): string {
    return `${this.#prefix}:${kind}:${own}`;
  }
}

const OF_SESSION = ['session', 'ops', 'revisions', 'log', 'turns', 'insights'];

/** What puts the keys of a session in one slot. */
function slot(key: SessionKey): string {
  return `{${tag(key)}}`;
}

/** The session a tag names. */
export function untag(tag: string): SessionKey {
  const [namespace, sessionId] = tag.split('/', 2);
  return { namespace: namespace!, sessionId: sessionId! };
}

/** Names a session within a prefix. Neither part can hold a brace or a slash. */
export function tag({ namespace, sessionId }: SessionKey): string {
  return `${namespace}/${sessionId}`;
}
