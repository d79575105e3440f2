/** One stretch of load: callers in closed loops over a few connections, and whoever follows what they append. */
import { ChatAnswer } from './chat_answer.ts';
import { Followers } from './followers.ts';
import { type Call, Connection } from './http2_connection.ts';
import { type RequestTemplate, requestTemplate } from './http2_frames.ts';
import type { Load, Measured } from './load.ts';
import { Stretch } from './stretch.ts';

/** A call slot with what a closed loop needs to know about it. */
interface Caller extends Call {
  readonly connection: Connection;
  /** The one body it sends; undefined for whichever is next. */
  readonly own: number | undefined;
  body: number;
  sentAt: number;
  /** For the answer, and for every delivery of what the call appends. */
  waitsFor: number;
  /** What comes of it, when that is an answer of Chat. */
  readonly answer: ChatAnswer | undefined;
}

/** How long nothing may be answered before a run counts as stuck. */
const STALL_MS = 30_000;

/** The last serial given out: no two requests of a bench have the same. */
let serial = 0;

export class ClosedLoop {
  readonly #load: Load;
  readonly #templates: readonly RequestTemplate[];
  readonly #connections: readonly Connection[];
  readonly #acknowledged: { calls: number; lastSerial: number }[];
  readonly #stretch: Stretch;
  readonly #followers: Followers | undefined;
  /** How many deliveries a call leads to. */
  readonly #deliveries: number;
  /** Who waits for deliveries, by serial. */
  readonly #undelivered = new Map<number, Caller>();
  readonly #end = Promise.withResolvers<void>();
  /** How many calls to send. */
  readonly #limit: number;
  #sent = 0;
  #open = 0;
  #nextBody = 0;
  /** The time of the last answer: near enough for what is sent in reply to it, and one clock reading less. */
  #now = performance.now();

  constructor(load: Load) {
    this.#load = load;
    this.#stretch = new Stretch(load);
    this.#limit = 'calls' in load.until ? load.until.calls : Number.POSITIVE_INFINITY;
    this.#templates = load.bodies.map((body, i) =>
      requestTemplate(load.path, load.address, body, load.serialAt?.[i] ?? []),
    );
    this.#acknowledged = load.bodies.map(() => ({ calls: 0, lastSerial: 0 }));
    this.#connections = Array.from({ length: load.connections }, () => this.#connect());
    this.#followers = this.#gather();
    const { audience } = load;
    this.#deliveries = audience ? (audience.turns * audience.followers) / audience.bodies.length : 0;
  }

  /** Runs to the last answer and delivery; rejects on the first that fails. */
  async run(): Promise<Measured> {
    const stallCheck = setInterval(() => this.#checkStall(), 1000);
    try {
      await Promise.race([this.#followers?.ready, this.#end.promise]);
      this.#stretch.begin();
      this.#startCallers();
      await this.#end.promise;
    } finally {
      clearInterval(stallCheck);
      this.#followers?.close();
      for (const connection of this.#connections) connection.close();
    }
    return { ...this.#stretch.figures(), acknowledged: this.#acknowledged };
  }

  #connect(): Connection {
    const connection: Connection = new Connection(this.#load.address, {
      answered: (call) => this.#answered(call as Caller),
      idle: () => connection.flush(),
      failed: (reason) => this.#fail(reason),
    });
    return connection;
  }

  #gather(): Followers | undefined {
    const { audience, address } = this.#load;
    return (
      audience &&
      new Followers(address, audience, {
        delivered: (session, serial, bytes) => this.#delivered(session, serial, bytes),
        idle: () => this.#flush(),
        failed: (reason) => this.#fail(reason),
      })
    );
  }

  #startCallers(): void {
    this.#now = performance.now();
    for (let i = 0; i < this.#load.callers; i++) {
      const answer = this.#load.textBytes === undefined ? undefined : new ChatAnswer();
      this.#sendNext({
        ...(answer && { onData: (bytes: Buffer) => answer.read(bytes) }),
        answer,
        connection: this.#connections[i % this.#connections.length]!,
        own: this.#load.ownBodies ? i : undefined,
        template: this.#templates[0]!,
        body: 0,
        serial: 0,
        received: 0,
        sentAt: 0,
        waitsFor: 0,
      });
    }
    this.#flush();
  }

  #flush(): void {
    for (const connection of this.#connections) connection.flush();
  }

  #sendNext(caller: Caller): void {
    if (this.#stretch.over || this.#sent === this.#limit) return;
    this.#sent++;
    this.#open++;
    caller.body = caller.own ?? this.#nextBody;
    if (++this.#nextBody === this.#templates.length) this.#nextBody = 0;
    caller.template = this.#templates[caller.body]!;
    caller.serial = ++serial;
    caller.sentAt = this.#now;
    caller.answer?.begin();
    caller.waitsFor = 1 + this.#deliveries;
    if (this.#followers) this.#undelivered.set(serial, caller);
    caller.connection.send(caller);
  }

  #answered(caller: Caller): void {
    this.#now = performance.now();
    const tally = this.#acknowledged[caller.body]!;
    tally.calls++;
    tally.lastSerial = caller.serial;
    if (caller.answer) this.#countChat(caller, caller.answer);
    else if (!this.#followers) this.#stretch.count(this.#now - caller.sentAt, caller.received);
    this.#settle(caller);
  }

  #countChat({ sentAt }: Caller, { isWhole, textBytes, firstTextAt }: ChatAnswer): void {
    const expected = this.#load.textBytes!;
    if (isWhole && textBytes === expected) this.#stretch.count(firstTextAt - sentAt, textBytes);
    else
      this.#fail(`an answer of ${textBytes} bytes instead of ${expected}, ${isWhole ? '' : 'not '}completed`);
  }

  #delivered(session: number, serial: number, bytes: number): void {
    this.#now = performance.now();
    const caller = this.#undelivered.get(serial);
    if (caller?.body !== session) {
      this.#fail('a follower got a turn that nobody appended to its session, or that it had had');
      return;
    }
    this.#stretch.count(this.#now - caller.sentAt, bytes);
    this.#settle(caller);
  }

  /** Goes on to the next call when this one has led to all it should. */
  #settle(caller: Caller): void {
    if (--caller.waitsFor > 0) return;
    this.#open--;
    this.#undelivered.delete(caller.serial);
    this.#sendNext(caller);
    if (this.#stretch.over && this.#open === 0) this.#end.resolve();
  }

  #checkStall(): void {
    if (performance.now() - this.#now < STALL_MS) return;
    this.#fail(`no answer and no delivery for ${STALL_MS / 1000} s`);
  }

  #fail(reason: string): void {
    this.#end.reject(new Error(`${reason}, after ${this.#sent - this.#open} calls`));
  }
}
