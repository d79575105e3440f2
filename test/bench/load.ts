/**
 * The load generator as scenarios see it: say what to send and how hard, get figures back.
 *
 * It runs in a process of its own (`load_worker.ts`), one for the whole bench, so that its compiled code stays warm
 * and every server meets the same generator.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Audience } from './followers.ts';

/** How long a stretch is measured. */
export interface Timing {
  readonly warmUpSeconds: number;
  /** How long to measure, in seconds, or how many calls to make; calls need no warm-up. */
  readonly until: { readonly seconds: number } | { readonly calls: number };
}

/** One stretch of load: `callers` closed loops, each sending its next request when its last is answered. */
export interface Load extends Timing {
  readonly address: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Encoded request messages, sent in turn by whichever caller is free. */
  readonly bodies: readonly Uint8Array[];
  /**
   * Where in each body eight bytes are replaced by a number that no other request of this bench has (a double, as
   * `google.protobuf.Value` keeps numbers). Without it a body goes out as it is.
   */
  readonly serialAt?: readonly (readonly number[])[];
  /** Gives caller `i` the body `i` and no other. */
  readonly ownBodies?: boolean;
  readonly connections: number;
  readonly callers: number;
  /**
   * Who follows what the calls append: then deliveries are measured instead of answers, each from the moment its call
   * was sent, and a call is over when it is answered and all its turns are delivered to every follower. Body `i` appends
   * to the session that audience body `i` follows; the metadata of each of its turns is its serial.
   */
  readonly audience?: Audience;
  /**
   * The calls are Chats, each answered with so many bytes of text: then what is measured of one is how long its first
   * text took, and its size is that of the text.
   */
  readonly textBytes?: number;
  /** Processes whose CPU time is taken over the measured stretch. */
  readonly watch: readonly number[];
}

/**
 * What one stretch of load showed. A single failed call is an error instead. Before an audience, deliveries stand for
 * calls wherever figures are concerned.
 */
export interface Measured {
  /** Answered within the measured stretch. */
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Mean size of an answer's DATA, or of a delivered message, to see that two servers said as much. */
  readonly bytesPerCall: number;
  /** CPU microseconds per call of each watched process, in their order. */
  readonly cpuMicrosPerCall: readonly number[];
  /** The share of one core the generator itself used; near 1 it was the bottleneck. */
  readonly generatorBusy: number;
  /** For each body, over the whole stretch with its warm-up: calls acknowledged, and the serial of the last. */
  readonly acknowledged: readonly { readonly calls: number; readonly lastSerial: number }[];
}

/** What the worker answers a {@link Load} with. */
export type LoadAnswer = { readonly measured: Measured } | { readonly error: string };

/** A process that makes load. One load at a time. */
export class LoadProcess<L extends object> implements Disposable {
  readonly #worker: ChildProcess;
  readonly #died: Promise<never>;

  constructor(worker: string) {
    this.#worker = fork(new URL(worker, import.meta.url), { serialization: 'advanced' });
    this.#died = once(this.#worker, 'exit').then(() => {
      throw new Error('the load generator ended');
    });
    this.#died.catch(() => {}); // A run in progress hears of it; without one nobody needs to.
  }

  get pid(): number {
    return this.#worker.pid!;
  }

  /** Rejects on the first call that fails, with what was wrong. */
  async run(load: L): Promise<Measured> {
    this.#worker.send(load);
    const [answer] = (await Promise.race([once(this.#worker, 'message'), this.#died])) as [LoadAnswer];
    if ('error' in answer) throw new Error(`${answer.error}, in ${JSON.stringify(load).slice(0, 100)}`);
    return answer.measured;
  }

  [Symbol.dispose](): void {
    this.#worker.kill();
  }
}

/** The generator's process. */
export class LoadGenerator extends LoadProcess<Load> {
  constructor() {
    super('load_worker.ts');
  }
}
