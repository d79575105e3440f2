/**
 * One call, as handlers and interceptors see it.
 *
 * Cancellation and the deadline are one AbortSignal, made only when somebody
 * asks for it: an eager one costs a third of the throughput.
 */
import type { DescMethod } from '@bufbuild/protobuf';
import type { Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import { ParleyError } from '../errors.ts';
import type { Operation } from '../sessions/operation.ts';
import type { Caller } from '../sessions/store.ts';

/** The part of grpc-js's four call classes that all four share. */
export type GrpcCall = ServerDuplexStream<Buffer, Buffer> & { readonly request: Buffer };

export class Call implements Caller {
  readonly method: DescMethod;
  /** `performance.now()` at arrival. */
  readonly startedAt = performance.now();
  /** Who calls; empty as long as nobody is asked for credentials. */
  readonly principal = '';
  /** Aborts when the server begins to stop. */
  readonly stopping: AbortSignal;
  /** Set by a handler whose stream comes to an end: when the server stops it may, as a unary call, within the grace period. */
  endsByItself = false;
  /** Set by the idempotency interceptor when the caller sent a `request_id`. */
  operation: Operation | undefined;
  readonly #call: GrpcCall;
  #abort: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(method: DescMethod, call: GrpcCall, stopping: AbortSignal) {
    this.method = method;
    this.stopping = stopping;
    this.#call = call;
  }

  /** `/parley.v1.SessionService/GetSession` */
  get path(): string {
    return `/${this.method.parent.typeName}/${this.method.name}`;
  }

  get metadata(): Metadata {
    return this.#call.metadata;
  }

  get peer(): string {
    return this.#call.getPeer();
  }

  /**
   * Throws CANCELLED or DEADLINE_EXCEEDED when nobody waits for the answer any
   * more. Ask before work that leaves a trace.
   */
  throwIfOver(): void {
    if (this.#pastDeadline()) throw deadlineExceeded();
    if (this.#call.cancelled) throw cancelled();
  }

  /** Aborts when the caller leaves or its deadline passes; the reason is a {@link ParleyError}. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      const abort = new AbortController();
      this.#abort = abort;
      if (this.#over || this.#call.cancelled) abort.abort(cancelled());
      else {
        // grpc-js says 'cancelled' for every call that is over, a finished one included.
        this.#call.once('cancelled', () =>
          abort.abort(this.#pastDeadline() ? deadlineExceeded() : cancelled()),
        );
        this.#watchDeadline(abort);
      }
    }
    return this.#abort.signal;
  }

  /** Whether a stream's answers wait for a client that is slow to read them. */
  get isBehind(): boolean {
    return this.#call.writableNeedDrain;
  }

  /** Answers, encoded, past a handler that yields nothing meanwhile. Only when the client is not behind. */
  send(answer: Buffer): void {
    if (!this.#over) this.#call.write(answer);
  }

  /** Ends the call for everybody who listens to {@link signal}. */
  finish(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#abort?.abort(cancelled());
  }

  /** grpc-js does not cancel a stream at its deadline once the peer stops reading, so we keep a timer. */
  #watchDeadline(abort: AbortController): void {
    const deadline = Number(this.#call.getDeadline());
    if (!Number.isFinite(deadline)) return;
    const wait = Math.min(Math.max(deadline - Date.now(), 0), 0x7fff_ffff);
    this.#timer = setTimeout(() => abort.abort(deadlineExceeded()), wait);
    this.#timer.unref();
  }

  #pastDeadline(): boolean {
    return Number(this.#call.getDeadline()) <= Date.now();
  }
}

function cancelled(): ParleyError {
  return new ParleyError('CALL_ENDED', 'the caller left');
}

function deadlineExceeded(): ParleyError {
  return new ParleyError('CALL_ENDED', 'the deadline passed', { code: 'DEADLINE_EXCEEDED' });
}
