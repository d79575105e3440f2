/** The measured stretch of a load: what is counted lies between two looks at the clocks. */
import type { Measured, Timing } from './load.ts';
import { cpuSeconds } from './processes.ts';

/** What a stretch has to know of a load. */
export interface Watched extends Timing {
  /** Processes whose CPU time is taken. */
  readonly watch: readonly number[];
}

export class Stretch {
  readonly #load: Watched;
  readonly #limit: number;
  readonly #latencies: number[] = [];
  #bytes = 0;
  #started: Snapshot | undefined;
  #finished: Snapshot | undefined;

  constructor(load: Watched) {
    this.#load = load;
    this.#limit = 'calls' in load.until ? load.until.calls : Number.POSITIVE_INFINITY;
  }

  /** Goes by itself from here: through the warm-up, when there is one, to the end. */
  begin(): void {
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

  /** Nothing is counted any more, and nothing should be sent. */
  get over(): boolean {
    return this.#finished !== undefined;
  }

  /** Takes one answer or delivery, how long it took and how large it was; leaves out what is not of the stretch. */
  count(milliseconds: number, bytes: number): void {
    if (!this.#started || this.#finished) return;
    this.#latencies.push(milliseconds);
    this.#bytes += bytes;
    if (this.#latencies.length === this.#limit) this.#finish();
  }

  figures(): Omit<Measured, 'acknowledged'> {
    const [started, finished] = [this.#started!, this.#finished!];
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
    };
  }

  #finish(): void {
    this.#finished = this.#snapshot();
  }

  #snapshot(): Snapshot {
    const { user, system } = process.cpuUsage();
    return {
      at: performance.now(),
      watched: this.#load.watch.map(cpuSeconds),
      own: (user + system) / 1e6,
    };
  }
}

/** The clocks at one moment, in seconds of CPU but for `at`, which is in milliseconds. */
interface Snapshot {
  readonly at: number;
  readonly watched: readonly number[];
  readonly own: number;
}
