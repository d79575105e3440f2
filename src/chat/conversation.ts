/** Converse: messages and cancels in, the events of all answers out, in order. */
import { Bell } from '../sessions/bell.ts';
import type { SessionKey } from '../sessions/session.ts';
import type { Caller } from '../sessions/store.ts';
import type { Ask } from './ask.ts';
import type { RunReader } from './run_events.ts';
import type { Runs } from './runs.ts';

/** What a caller says after it has opened. */
export type Said =
  | { readonly kind: 'cancel' }
  /** `caller`: each message counts as a call of its own. */
  | { readonly kind: 'ask'; readonly ask: Ask; readonly caller: Caller };

/** So many messages may wait for their answers; more are not read before. */
const MOST_WAITING = 32;

interface Asked {
  readonly ask: Ask;
  readonly reader: Promise<RunReader>;
}

export class Conversation {
  readonly #runs: Runs;
  readonly #key: SessionKey;
  readonly #signal: AbortSignal;
  readonly #bell: Bell;
  /** In the order in which they were asked. */
  readonly #asked: Asked[] = [];
  /** When the last one was asked has started. */
  #started: Promise<unknown> = Promise.resolve();
  #heard: 'more' | 'all' | { readonly error: unknown } = 'more';
  #wake = () => {};

  constructor(runs: Runs, key: SessionKey, signal: AbortSignal) {
    this.#runs = runs;
    this.#key = key;
    this.#signal = signal;
    this.#bell = new Bell(signal);
  }

  /** Ends when all is said and answered; `signal` ends it sooner. */
  async *events(inputs: AsyncIterable<Said>): AsyncGenerator<readonly Uint8Array[]> {
    void this.#listen(inputs);
    try {
      for (;;) {
        const next = this.#asked[0];
        if (next) {
          yield* this.#answer(next);
          this.#asked.shift();
          this.#wake();
        } else if (this.#heard === 'all') {
          return;
        } else if (this.#heard !== 'more') {
          throw this.#heard.error;
        } else {
          await this.#bell.rung(LONG);
        }
      }
    } finally {
      for (const { ask, reader } of this.#asked) this.#letGo(ask, reader);
    }
  }

  async *#answer({ reader }: Asked): AsyncGenerator<readonly Uint8Array[]> {
    const begun = await reader;
    yield* begun.events(0);
    begun.close();
  }

  async #listen(inputs: AsyncIterable<Said>): Promise<void> {
    try {
      for await (const said of inputs) {
        if (said.kind === 'cancel') await this.#cancel();
        else this.#ask(said.ask, said.caller);
        if (this.#asked.length >= MOST_WAITING) await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      this.#heard = 'all';
    } catch (error) {
      this.#heard = { error };
    }
    this.#bell.ring();
  }

  #ask(ask: Ask, caller: Caller): void {
    const reader = this.#started.then(() => this.#runs.begin(this.#key, ask, caller, this.#signal));
    this.#started = reader.catch(() => {}); // the events say it
    this.#asked.push({ ask, reader });
    this.#bell.ring();
  }

  /** Cancels what answers, or is about to: a message that came before the cancel counts as answered. */
  async #cancel(): Promise<void> {
    for (const { ask, reader } of [...this.#asked]) {
      const begun = await reader.catch(() => undefined);
      if (!begun || begun.isOver) continue;
      await this.#runs.stopReading(this.#key, begun);
      if (ask.concurrency !== 'INTERRUPT') return; // the next one waits, and answers then
    }
  }

  #letGo(ask: Ask, reader: Promise<RunReader>): void {
    reader.then(
      (begun) => this.#runs.leave(this.#key, ask, begun),
      () => {}, // it never began
    );
  }
}

const LONG = 0x7fff_ffff;
