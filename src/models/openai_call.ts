/**
 * One request to a model endpoint, from the first attempt to the last byte: tried again while nothing has come, given
 * up when the endpoint is silent for too long or nobody wants the answer any more.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Milliseconds } from '../sessions/session.ts';
import { type EndpointErrors, mayPass, retryAfter } from './openai_errors.ts';

/** How long an endpoint may take. */
export interface Patience {
  /** To the first byte of an answer, attempts that failed and pauses between them included. */
  readonly firstByte: Milliseconds;
  /** Between two pieces of an answer; comments that only keep a connection alive count. */
  readonly idle: Milliseconds;
  /** From the end of an answer to the usage, which some never send. */
  readonly usage: Milliseconds;
  /** The longest an endpoint may ask for before the next attempt; who asks for more is not asked again. */
  readonly retryAfter: Milliseconds;
}

export const PATIENCE: Patience = { firstByte: 60_000, idle: 60_000, usage: 5000, retryAfter: 20_000 };

const ATTEMPTS = 3;
const FIRST_PAUSE: Milliseconds = 500;

/** Sends the request once. */
export type Send = (signal: AbortSignal) => Promise<Response>;

export class OpenAiCall {
  readonly #errors: EndpointErrors;
  readonly #patience: Patience;
  readonly #signal: AbortSignal;
  /** Closes the connection. */
  readonly #wire = new AbortController();
  readonly #hangUp = () => this.#wire.abort();
  #timer: NodeJS.Timeout;
  /** What is waited for, in words; undefined while nobody waits. */
  #waitingFor: string | undefined = 'an answer';
  #reads = 0;
  #late = false;
  #body: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #onlyUsageIsMissing = false;
  #overAt = Number.POSITIVE_INFINITY;
  #ended = false;

  constructor(errors: EndpointErrors, patience: Patience, signal: AbortSignal) {
    this.#errors = errors;
    this.#patience = patience;
    this.#signal = signal;
    signal.addEventListener('abort', this.#hangUp);
    this.#timer = this.#giveUpAfter(patience.firstByte);
  }

  /** Returns as soon as the endpoint begins to answer. */
  async open(send: Send): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await send(this.#wire.signal);
        this.#body = response.body?.getReader();
        return response;
      } catch (error) {
        await this.#pause(error, attempt);
      }
    }
  }

  /** The next bytes; undefined at the end of the body. */
  async read(): Promise<Uint8Array | undefined> {
    if (performance.now() > this.#overAt) return undefined;
    if (this.#reads++ > 0) this.#timer.refresh();
    this.#waitingFor ??= 'the rest of an answer';
    try {
      const next = await this.#body?.read();
      if (this.#reads === 1) this.#wait(this.#patience.idle);
      this.#ended = !next || next.done;
      return next?.value;
    } catch (error) {
      if (this.#onlyUsageIsMissing && !this.#signal.aborted) return undefined;
      throw this.#failure(() => this.#errors.brokenOff(error));
    } finally {
      this.#waitingFor = undefined;
    }
  }

  /** Says that the answer is there but for the usage: no harm is done when nothing follows. */
  expectOnlyUsage(): void {
    if (this.#onlyUsageIsMissing) return;
    this.#onlyUsageIsMissing = true;
    this.#overAt = performance.now() + this.#patience.usage; // whatever else the endpoint sends
    this.#wait(this.#patience.usage);
  }

  /**
   * Lets go. When the answer is whole, what little is left of the body is read, so that the connection serves the next
   * request; otherwise it is closed at once.
   */
  close(whole: boolean): void {
    this.#signal.removeEventListener('abort', this.#hangUp);
    clearTimeout(this.#timer);
    if (this.#ended) return;
    if (whole) void this.#drain();
    else this.#hangUp();
  }

  async #drain(): Promise<void> {
    const timer = setTimeout(this.#hangUp, this.#patience.usage);
    timer.unref();
    try {
      // Bounded by bytes as well: what follows an answer is an empty chunk.
      for (let i = 0; i < 8; i++) if ((await this.#body?.read())?.done !== false) return;
      this.#hangUp();
    } catch {
      // It is closed, then.
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns when it is time for another attempt; throws when there is to be none. */
  async #pause(error: unknown, attempt: number): Promise<void> {
    const asked = retryAfter((error as { headers?: Headers }).headers ?? new Headers());
    const pause = asked ?? FIRST_PAUSE * 2 ** (attempt - 1) * (0.75 + Math.random() / 4);
    const again = attempt < ATTEMPTS && pause <= this.#patience.retryAfter && mayPass(error);
    if (!again || this.#wire.signal.aborted) throw this.#failure(() => this.#errors.ofRequest(error));
    try {
      await wait(pause, undefined, { signal: this.#wire.signal });
    } catch {
      throw this.#failure(() => this.#errors.ofRequest(error));
    }
  }

  /** Why it really failed: whoever hung up knows better than the connection. */
  #failure(otherwise: () => Error): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    if (this.#late) return this.#errors.timeout(this.#waitingFor ?? 'an answer');
    return otherwise();
  }

  #wait(time: Milliseconds): void {
    clearTimeout(this.#timer);
    this.#timer = this.#giveUpAfter(time);
  }

  #giveUpAfter(time: Milliseconds): NodeJS.Timeout {
    return setTimeout(() => {
      // A slow reader is none of the endpoint's doing; the next read sets the timer going again.
      if (this.#waitingFor === undefined) return;
      // When it is this process that is late, bytes have come meanwhile: they are read before this turn ends.
      const reads = this.#reads;
      setImmediate(() => {
        if (this.#waitingFor === undefined || this.#reads !== reads) return;
        this.#late = true;
        this.#hangUp();
      });
    }, time);
  }
}
