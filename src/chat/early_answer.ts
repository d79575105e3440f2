/**
 * An answer that is asked for while its run is on its way into the log, so that the question's wait for the disk and
 * the model's own time are one wait and not two.
 *
 * That is decided as follows. It is done where the run will start but for a rare race: nobody answers, nobody waits
 * to, the request is no retry, and nothing has to be summarized first. Nothing is taken of the answer but its first
 * piece, and even that is neither written nor told before the log has the run; the rest waits in its connection. A
 * model that fails sooner is heard of then, and fails the run. When the run does not start, the request is closed at
 * once: a provider may have worked in vain, and nobody hears of it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AnswerPiece } from '../models/model.ts';

export class EarlyAnswer implements AsyncIterator<AnswerPiece> {
  readonly #abort = new AbortController();
  readonly #pieces: AsyncIterator<AnswerPiece>;
  #first: Promise<IteratorResult<AnswerPiece>> | undefined;

  constructor(ask: (signal: AbortSignal) => AsyncIterable<AnswerPiece>) {
    this.#pieces = ask(this.#abort.signal)[Symbol.asyncIterator]();
    // The question leaves first: its wait is the longer one.
    this.#first = nextTurn().then(() => this.#pieces.next());
    this.#first.catch(() => {}); // whoever listens hears of it
  }

  /** All of it, for the run that has started; `signal` gives the rest up. */
  listen(signal: AbortSignal): AsyncIterable<AnswerPiece> {
    signal.addEventListener('abort', () => this.#abort.abort(signal.reason), { once: true });
    if (signal.aborted) this.#abort.abort(signal.reason);
    return { [Symbol.asyncIterator]: () => this };
  }

  next(): Promise<IteratorResult<AnswerPiece>> {
    const next = this.#first ?? this.#pieces.next();
    this.#first = undefined;
    return next;
  }

  async return(): Promise<IteratorResult<AnswerPiece>> {
    await this.#pieces.return?.();
    return { done: true, value: undefined };
  }

  /** Gives it up, on the wire too: its run did not start. */
  drop(): void {
    this.#abort.abort(new Error('the run did not start'));
    this.return().catch(() => {});
  }
}
