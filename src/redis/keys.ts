/**
 * Every key in Redis, in one place. Those of one session share a hash tag, so
 * that a cluster keeps them in one slot and one script can reach them all.
 *
 * | key                          | type      | holds                                   | lives            |
 * | ---------------------------- | --------- | --------------------------------------- | ---------------- |
 * | `parley:session:{ns/id}`     | RedisJSON | the session; the only indexed documents | as the session   |
 * | `parley:log:{ns/id}`         | Hash      | what moves with every turn, and the session as it is answered, encoded | as the session |
 * | `parley:turns:{ns/id}`       | Stream    | the turns, id = seq-microseconds, field = whom it counts for | as the session |
 * | `parley:copy:{ns/id}:<name>` | Stream    | turns of a fork in the making           | 10 minutes       |
 * | `parley:revisions:{ns/id}`   | Stream    | past configs revisions, id = revision   | as the session   |
 * | `parley:ops:{ns/id}`         | Hash      | answers by method and request id        | a field 24 hours, at most as the session |
 * | `parley:live:{ns/id}`        | channel   | sharded pub/sub, rings on every change  |                  |
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
    return `${this.sessionPrefix}{${tag(key)}}`;
  }

  log(key: SessionKey): string {
    return `${this.#prefix}:log:{${tag(key)}}`;
  }

  turns(key: SessionKey): string {
    return `${this.#prefix}:turns:{${tag(key)}}`;
  }

  copy(key: SessionKey, name: string): string {
    return `${this.#prefix}:copy:{${tag(key)}}:${name}`;
  }

  revisions(key: SessionKey): string {
    return `${this.#prefix}:revisions:{${tag(key)}}`;
  }

  operations(key: SessionKey): string {
    return `${this.#prefix}:ops:{${tag(key)}}`;
  }

  live(key: SessionKey): string {
    return `${this.#prefix}:live:{${tag(key)}}`;
  }

  /** All keys that live as long as the session, in the order in which the scripts take them. */
  ofSession(key: SessionKey) {
    return {
      session: this.session(key),
      answers: this.operations(key),
      revisions: this.revisions(key),
      log: this.log(key),
      turns: this.turns(key),
    };
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
    const [namespace, sessionId] = documentKey.slice(this.sessionPrefix.length + 1, -1).split('/', 2);
    return { namespace: namespace!, sessionId: sessionId! };
  }
}

/** Neither part can hold a brace or a slash. */
function tag({ namespace, sessionId }: SessionKey): string {
  return `${namespace}/${sessionId}`;
}
