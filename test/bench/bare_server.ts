/** What the bare grpc-js servers have in common: methods that see bytes only, and the line that says where they listen. */
import { readFileSync } from 'node:fs';
import { type MethodDefinition, Server, ServerCredentials, type UntypedHandleCall } from '@grpc/grpc-js';

/** Hands bytes through, so that neither side of the yardstick pays for protobuf. */
const asIs = (bytes: Buffer): Buffer => bytes;

/** One method: its path, what handles it, and whether that answers with a stream. */
export interface BareMethod {
  readonly path: string;
  readonly handler: UntypedHandleCall;
  readonly responseStream: boolean;
}

/** What argv[2], a JSON file, says. */
export function readScript<T>(): T {
  return JSON.parse(readFileSync(process.argv[2]!, 'utf8'));
}

/** Serves the methods on a free port until SIGTERM. */
export function serveBare(name: string, methods: readonly BareMethod[]): void {
  const definitions: Record<string, MethodDefinition<Buffer, Buffer>> = {};
  const handlers: Record<string, UntypedHandleCall> = {};
  for (const { path, handler, responseStream } of methods) {
    definitions[path] = {
      path,
      requestStream: false,
      responseStream,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    handlers[path] = handler;
  }
  const server = new Server({ 'grpc.enable_channelz': 0 });
  server.addService(definitions, handlers);
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    console.log(`${name} listening on 127.0.0.1:${port}`);
  });
  process.once('SIGTERM', () => server.forceShutdown());
}
