/** One stretch of load: callers in closed loops over a few connections, measured between two snapshots. */
import { type Call, Connection } from './http2_connection.ts';
import { type RequestTemplate, requestTemplate } from './http2_frames.ts';
import type { Load, Measured } from './load.ts';
import { cpuSeconds } from './processes.ts';

/** A call slot with what a closed loop needs to know about it. */
interface Caller extends Call {
  readonly connection: Connection;
  /** The one body it sends; undefined for whichever is next. */
  readonly own: number | undefined;
  body: number;
  sentAt: number;
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
  readonly #latencies: number[] = [];
  readonly #end = Promise.withResolvers<void>();
  readonly #limit: number;
  #started: Snapshot | undefined;
  #finished: Snapshot | undefined;
  #sent = 0;
  #open = 0;
  #nextBody = 0;
  #bytes = 0;
  /** The time of the last answer: near enough for what is sent in reply to it, and one clock reading less. */
  #now = performance.now();

  constructor(load: Load) {
    this.#load = load;
    this.#limit = 'calls' in load.until ? load.until.calls : Number.POSITIVE_INFINITY;
    this.#templates = load.bodies.map((body, i) =>
      requestTemplate(load.path, load.address, body, load.serialAt?.[i]),
    );
    this.#acknowledged = load.bodies.map(() => ({ calls: 0, lastSerial: 0 }));
    this.#connections = Array.from({ length: load.connections }, () => this.#connect());
  }

  /** Runs to the last answer; rejects on the first failed call. */
  async run(): Promise<Measured> {
    const stallCheck = setInterval(() => this.#checkStall(), 1000);
    try {
      this.#schedule();
      this.#startCallers();
      await this.#end.promise;
    } finally {
      clearInterval(stallCheck);
      for (const connection of this.#connections) connection.close();
    }
    return this.#figures(this.#started!, this.#finished!);
  }

  #connect(): Connection {
    const connection: Connection = new Connection(this.#load.address, {
      answered: (call) => this.#answered(call as Caller),
      idle: () => connection.flush(),
      failed: (reason) => this.#end.reject(new Error(`${reason}, after ${this.#sent - this.#open} answers`)),
    });
    return connection;
  }

  #schedule(): void {
    const { until, warmUpSeconds } = this.#load;
    if ('calls' in until) {
      this.#started = this.#snapshot();
      return;
    }
    setTimeout(() => {
      this.#started = this.#snapshot();
    }, warmUpSeconds * 1000);
    setTimeout(() => this.#finish(), (warmUpSeconds + until.seconds) * 1000);
  }

  #startCallers(): void {
    for (let i = 0; i < this.#load.callers; i++) {
      this.#sendNext({
        connection: this.#connections[i % this.#connections.length]!,
        own: this.#load.ownBodies ? i : undefined,
        template: this.#templates[0]!,
        body: 0,
        serial: 0,
        received: 0,
        sentAt: 0,
      });
    }
    for (const connection of this.#connections) connection.flush();
  }

  #sendNext(caller: Caller): void {
    if (this.#finished || this.#sent === this.#limit) return;
    this.#sent++;
    this.#open++;
    caller.body = caller.own ?? this.#nextBody;
    if (++this.#nextBody === this.#templates.length) this.#nextBody = 0;
    caller.template = this.#templates[caller.body]!;
    caller.serial = ++serial;
    caller.sentAt = this.#now;
    caller.connection.send(caller);
  }

  #answered(caller: Caller): void {
    this.#now = performance.now();
    this.#open--;
    const tally = this.#acknowledged[caller.body]!;
    tally.calls++;
    tally.lastSerial = caller.serial;
    if (this.#started && !this.#finished) {
      this.#latencies.push(this.#now - caller.sentAt);
      this.#bytes += caller.received;
      if (this.#latencies.length === this.#limit) this.#finish();
    }
    this.#sendNext(caller);
    if (this.#finished && this.#open === 0) this.#end.resolve();
  }

  /** Stops measuring and sending; the run ends with the last open call. */
  #finish(): void {
    this.#finished = this.#snapshot();
  }

  #checkStall(): void {
    if (performance.now() - this.#now < STALL_MS) return;
    this.#end.reject(
      new Error(`no answer for ${STALL_MS / 1000} s, after ${this.#sent - this.#open} answers`),
    );
  }

  #snapshot(): Snapshot {
    const { user, system } = process.cpuUsage();
    return {
      at: performance.now(),
      watched: this.#load.watch.map(cpuSeconds),
      own: (user + system) / 1e6,
    };
  }

  #figures(started: Snapshot, finished: Snapshot): Measured {
    const latencies = Float64Array.from(this.#latencies).sort();
    const calls = latencies.length;
    if (calls === 0) throw new Error('no call was answered in the measured time');
    const seconds = (finished.at - started.at) / 1000;
    return {
      calls,
      callsPerSecond: calls / seconds,
      p50Ms: latencies[Math.floor(calls * 0.5)]!,
      p99Ms: latencies[Math.floor(calls * 0.99)]!,
      bytesPerCall: this.#bytes / calls,
      cpuMicrosPerCall: finished.watched.map((cpu, i) => ((cpu - started.watched[i]!) * 1e6) / calls),
      generatorBusy: (finished.own - started.own) / seconds,
      acknowledged: this.#acknowledged,
    };
  }
}

/** The clocks at one moment, in seconds of CPU but for `at`, which is in milliseconds. */
interface Snapshot {
  readonly at: number;
  readonly watched: readonly number[];
  readonly own: number;
}
