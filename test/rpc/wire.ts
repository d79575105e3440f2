/** A server for one test, and clients from well-behaved to hostile. */
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2';
import type { DescService } from '@bufbuild/protobuf';
import { type Client, ConnectError, createClient } from '@connectrpc/connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { Interceptor } from '../../src/rpc/interceptor.ts';
import { type Pipeline, serve } from '../../src/rpc/serve.ts';
import type { ServiceImpl } from '../../src/rpc/service.ts';
import { writeAhead } from '../../src/rpc/write_ahead.ts';
import { summary } from '../refusal.ts';

/** Serves until the test is over. */
export async function startServer<S extends DescService>(
  service: S,
  impl: ServiceImpl<S>,
  interceptors: readonly Interceptor[] = [],
) {
  const stopping = new AbortController();
  const port = await listen((server) =>
    serve(server, service, impl, { interceptors, stopping: stopping.signal }),
  );
  return { port, client: clientOf(port, service), stop: () => stopping.abort() };
}

/** The same for a server of several services. */
export async function startServers(register: (server: Server, pipeline: Pipeline) => void): Promise<number> {
  const pipeline = { interceptors: [], stopping: new AbortController().signal };
  return listen((server) => register(server, pipeline));
}

export function clientOf<S extends DescService>(port: number, service: S): Client<S> {
  return createClient(service, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
}

async function listen(register: (server: Server) => void): Promise<number> {
  const server = new Server({ 'grpc.enable_channelz': 0, interceptors: [writeAhead] });
  register(server);
  onTestFinished(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

/** What a call fails with. */
export async function failure(call: Promise<unknown>): Promise<ConnectError> {
  const answer = await call.catch((error: unknown) => ConnectError.from(error));
  if (answer instanceof ConnectError) return answer;
  throw new Error('the call succeeded');
}

export async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

/** A call of which only the HTTP/2 frames are right. Nothing is read until the caller does. */
export function rawCall(
  port: number,
  path: string,
  body: Buffer,
  headers: Record<string, string> = {},
): ClientHttp2Stream {
  const session = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  session.on('error', () => {});
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => {});
  stream.end(body);
  return stream;
}

/** A gRPC frame around the bytes of a message. */
export function frame(message: Uint8Array, compressed: 0 | 1 = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The `grpc-status` that ends a raw call, from its trailers or its only headers. */
export async function rawStatus(stream: ClientHttp2Stream): Promise<number> {
  return Number((await ending(stream))['grpc-status']);
}

/** What a raw call is refused with, as `refusal` puts it. */
export async function rawRefusal(stream: ClientHttp2Stream): Promise<string> {
  const headers = Object.entries(await ending(stream)).filter(([name]) => !name.startsWith(':'));
  const error = findTrailerError(new Headers(headers.map(([name, value]) => [name, String(value)])));
  if (!error) throw new Error('the call succeeded');
  return summary(error);
}

async function ending(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    for (const event of ['response', 'trailers']) {
      stream.on(event, (headers) => 'grpc-status' in headers && resolve(headers));
    }
    stream.on('close', () => reject(new Error('closed without a status')));
    stream.resume();
  });
}
