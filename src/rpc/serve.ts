/**
 * Serves protoc-gen-es services with grpc-js: handlers are promises or async
 * generators, and nothing they do can take the process down.
 *
 * grpc-js sees Buffers only; decoding happens here, so that undecodable input
 * is INVALID_ARGUMENT and a handler may answer with finished bytes.
 */
import type { DescMessage, DescMethod, DescService, Message, MessageInitShape } from '@bufbuild/protobuf';
import type { Server, ServiceDefinition, StatusObject, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ParleyError, serverStopping } from '../errors.ts';
import { Call, type GrpcCall } from './call.ts';
import * as codec from './codec.ts';
import type { Interceptor } from './interceptor.ts';
import { checkLists } from './list_limits.ts';
import type { ServiceImpl } from './service.ts';
import { toParleyError, toStatusObject } from './status.ts';

/** What every call on this server goes through. */
export interface Pipeline {
  readonly interceptors: readonly Interceptor[];
  /** Aborts when the server begins to stop: streams without an end get SERVER_STOPPING, all other calls finish. */
  readonly stopping: AbortSignal;
}

type AnyHandler = (input: unknown, call: Call) => unknown;
type UnaryCallback = (error: object | null, value?: Uint8Array) => void;

/** Adds a service to a grpc-js server. */
export function serve<S extends DescService>(
  server: Server,
  service: S,
  impl: ServiceImpl<S>,
  pipeline: Pipeline,
): void {
  const handlers: Record<string, unknown> = {};
  for (const method of service.methods) {
    const handler = (impl as Record<string, AnyHandler>)[method.localName]!.bind(impl);
    handlers[method.localName] = isStream(method.methodKind, 'server')
      ? (call: GrpcCall) =>
          void streamAnswers(new Call(method, call, pipeline.stopping), call, handler, pipeline)
      : (call: GrpcCall, callback: UnaryCallback) =>
          void answerOnce(new Call(method, call, pipeline.stopping), call, callback, handler, pipeline);
  }
  server.addService(definition(service), handlers as UntypedServiceImplementation);
}

function definition(service: DescService): ServiceDefinition {
  const identity = (bytes: Buffer): Buffer => bytes;
  const entries = service.methods.map((method) => [
    method.localName,
    {
      path: `/${service.typeName}/${method.name}`,
      originalName: method.localName,
      requestStream: isStream(method.methodKind, 'client'),
      responseStream: isStream(method.methodKind, 'server'),
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    },
  ]);
  return Object.fromEntries(entries) as ServiceDefinition;
}

function isStream(kind: DescMethod['methodKind'], side: 'client' | 'server'): boolean {
  return kind === 'bidi_streaming' || kind === `${side}_streaming`;
}

async function answerOnce(
  call: Call,
  grpcCall: GrpcCall,
  callback: UnaryCallback,
  handler: AnyHandler,
  pipeline: Pipeline,
): Promise<void> {
  let error: ParleyError | undefined;
  try {
    begin(call, pipeline);
    const answer = await handler(input(call, grpcCall, pipeline), call);
    callback(null, encode(call.method, answer));
  } catch (thrown) {
    const failed = failure(thrown);
    error = failed.error;
    callback(failed.status);
  }
  end(call, pipeline, error);
}

async function streamAnswers(
  call: Call,
  grpcCall: GrpcCall,
  handler: AnyHandler,
  pipeline: Pipeline,
): Promise<void> {
  let error: ParleyError | undefined;
  try {
    begin(call, pipeline);
    const answers = handler(input(call, grpcCall, pipeline), call) as AsyncIterable<unknown>;
    await pump(call, grpcCall, answers);
    grpcCall.end();
  } catch (thrown) {
    const failed = failure(thrown);
    error = failed.error;
    // Not destroy(error): that sends no status and the client would wait for ever.
    if (!grpcCall.destroyed && !grpcCall.cancelled) grpcCall.emit('error', failed.status);
  }
  end(call, pipeline, error);
}

/** What a call fails with, and how its caller is told; an error that cannot be told is a defect. */
function failure(thrown: unknown): { error: ParleyError; status: StatusObject } {
  const error = toParleyError(thrown);
  try {
    return { error, status: toStatusObject(error) };
  } catch (cause) {
    const defect = toParleyError(cause);
    return { error: defect, status: toStatusObject(defect) };
  }
}

/** Writes answers as fast as the client reads them, until they end, the caller leaves, or the server stops. */
async function pump(call: Call, grpcCall: GrpcCall, answers: AsyncIterable<unknown>): Promise<void> {
  const { stopping } = call;
  const leash = new Leash();
  const onAbort = () => leash.pull(call.signal.reason);
  const onStop = () => call.endsByItself || leash.pull(serverStopping());
  call.signal.addEventListener('abort', onAbort, { once: true });
  stopping.addEventListener('abort', onStop, { once: true });
  if (call.signal.aborted) onAbort();
  if (stopping.aborted) onStop();
  const iterator = answers[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await leash.wait(iterator.next());
      if (next.done) return;
      for (const answer of Array.isArray(next.value) ? next.value : [next.value]) {
        const behind = send(grpcCall, encode(call.method, answer), leash);
        if (behind) await behind;
      }
    }
  } finally {
    stopping.removeEventListener('abort', onStop);
    call.finish(); // wakes a generator that still waits for something, so that return() gets through
    void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

/** grpc-js counts the messages that wait for a slow reader, and not how large they are: such go one by one. */
const LARGE_BYTES = 64 * 1024;

/** Writes an answer. Returns something to wait for when the client is behind. */
function send(grpcCall: GrpcCall, bytes: Buffer, leash: Leash): Promise<void> | undefined {
  if (bytes.length > LARGE_BYTES) {
    return leash.wait(new Promise((resolve) => grpcCall.write(bytes, () => resolve())));
  }
  return grpcCall.write(bytes)
    ? undefined
    : leash.wait(new Promise((resolve) => grpcCall.once('drain', resolve)));
}

/** Waits that can be cut short. Unlike racing one long-lived promise, a finished wait leaves nothing behind. */
class Leash {
  #pulled: { reason: unknown } | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  pull(reason: unknown): void {
    this.#pulled ??= { reason };
    this.#reject?.(this.#pulled.reason);
  }

  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      promise.then(resolve, reject);
      if (this.#pulled) reject(this.#pulled.reason);
    });
  }
}

function begin(call: Call, { interceptors }: Pipeline): void {
  for (const interceptor of interceptors) interceptor.begin?.(call);
}

/** One request, or the stream of them. */
function input(call: Call, grpcCall: GrpcCall, pipeline: Pipeline): unknown {
  return isStream(call.method.methodKind, 'client')
    ? requests(call, grpcCall, pipeline)
    : decode(call, grpcCall.request, pipeline);
}

async function* requests(call: Call, grpcCall: GrpcCall, pipeline: Pipeline): AsyncGenerator<unknown> {
  // Not `for await`: at our own error it would destroy the call, and with it the answers and the status on their way.
  for (;;) {
    const bytes = grpcCall.read() as Buffer | null;
    if (bytes) yield decode(call, bytes, pipeline);
    else if (grpcCall.readableEnded) return;
    else await changed(grpcCall, call.signal);
    call.signal.throwIfAborted();
  }
}

/** Returns when there may be more to read, or never will be. */
function changed(grpcCall: GrpcCall, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of CHANGES) grpcCall.off(event, done);
      over.removeEventListener('abort', done);
      resolve();
    };
    for (const event of CHANGES) grpcCall.on(event, done);
    over.addEventListener('abort', done);
    if (over.aborted) done();
  });
}

const CHANGES = ['readable', 'end', 'close'] as const;

function decode(call: Call, bytes: Buffer, { interceptors }: Pipeline): unknown {
  const schema = call.method.input;
  const message = decodeRequest(schema, bytes);
  for (const interceptor of interceptors) interceptor.request?.(call, schema, message, bytes.length);
  return message;
}

function decodeRequest(schema: DescMessage, bytes: Buffer): Message {
  try {
    checkLists(schema, bytes);
    return codec.decode(schema, bytes);
  } catch (error) {
    if (error instanceof ParleyError) throw error;
    throw new ParleyError('REQUEST_INVALID', `the request is not a ${schema.typeName}`, { cause: error });
  }
}

function encode({ output }: DescMethod, answer: unknown): Buffer {
  const bytes =
    answer instanceof Uint8Array ? answer : codec.encode(output, answer as MessageInitShape<DescMessage>);
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function end(call: Call, { interceptors }: Pipeline, error: ParleyError | undefined): void {
  call.finish();
  for (let at = interceptors.length - 1; at >= 0; at--)
    interceptors[at]!.end?.(call, error?.code ?? 'OK', error);
}
