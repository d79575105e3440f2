/** Many followers of some sessions, as clients of either server: they get turns, and see that none is missing. */
import { Cutter } from './cutter.ts';
import { Delivery } from './delivery.ts';
import { type Call, Connection } from './http2_connection.ts';
import { requestTemplate } from './http2_frames.ts';

/** Whom to follow, and with how many. */
export interface Audience {
  /** `/package.Service/Method` of the stream. */
  readonly path: string;
  /** Encoded requests, one for each session; follower `i` sends the `i`th, over and over. */
  readonly bodies: readonly Uint8Array[];
  /** A multiple of the sessions. */
  readonly followers: number;
  /** How many turns each append brings them. */
  readonly turns: number;
  readonly connections: number;
}

/** What a load wants to know of its followers. */
export interface FollowerEvents {
  /** A follower of the `session`th session got a turn that was appended with this serial. */
  delivered(session: number, serial: number, bytes: number): void;
  /** All that arrived together was handled. */
  idle(): void;
  /** A stream ended, or brought something it should not have. */
  failed(reason: string): void;
}

/** Every gRPC message has a flag before it, and its length. */
const MESSAGE_HEADER = 5;

export class Followers {
  readonly #events: FollowerEvents;
  readonly #connections: readonly Connection[];
  readonly #delivery = new Delivery();
  readonly #ready = Promise.withResolvers<void>();
  #behind: number;

  constructor(address: string, audience: Audience, events: FollowerEvents) {
    const { path, bodies, followers, connections } = audience;
    this.#events = events;
    this.#behind = followers;
    this.#connections = Array.from({ length: connections }, () => this.#connect(address));
    const templates = bodies.map((body) => requestTemplate(path, address, body, []));
    for (let i = 0; i < followers; i++) {
      const session = i % bodies.length;
      this.#connections[i % connections]!.send(this.#follower(session, templates[session]!));
    }
    for (const connection of this.#connections) connection.flush();
  }

  /** Resolves when every follower knows all there is: from then on each turn must reach all of its session. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #connect(address: string): Connection {
    const connection: Connection = new Connection(address, {
      answered: () => this.#fail("a follower's stream ended"),
      idle: () => {
        connection.flush();
        this.#events.idle();
      },
      failed: (reason) => this.#fail(reason),
    });
    return connection;
  }

  #follower(session: number, template: Call['template']): Call {
    const follower = { session, lastSeq: 0 };
    const messages = new Cutter(
      MESSAGE_HEADER,
      (bytes, at) => bytes.readUInt32BE(at + 1),
      (bytes, at, end) => this.#take(follower, bytes, at + MESSAGE_HEADER, end),
    );
    return { template, serial: 0, received: 0, onData: (bytes) => messages.cut(bytes) };
  }

  #take(follower: Follower, bytes: Buffer, start: number, end: number): void {
    const { kind, seq, serial } = this.#delivery.read(bytes, start, end);
    if (kind === 'caught up') {
      if (--this.#behind === 0) this.#ready.resolve();
    } else if (kind === 'turn') {
      if (follower.lastSeq !== 0 && seq !== follower.lastSeq + 1)
        this.#fail(`a follower got turn ${seq} after turn ${follower.lastSeq}`);
      follower.lastSeq = seq;
      this.#events.delivered(follower.session, serial, end - start);
    } else if (kind !== 'heartbeat') {
      this.#fail('a follower was sent a reset, or a message with nothing in it');
    }
  }

  #fail(reason: string): void {
    this.#ready.promise.catch(() => {}); // Whoever no longer waits for it hears of it by the event.
    this.#ready.reject(new Error(reason));
    this.#events.failed(reason);
  }
}

interface Follower {
  readonly session: number;
  /** 0 until the first turn. */
  lastSeq: number;
}
