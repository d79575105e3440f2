/**
 * The yardstick: a bare grpc-js server that answers every method with the same bytes each time, without decoding
 * anything. What it serves on this machine is what grpc-js can do at all; Parley is measured as a share of it.
 *
 * argv[2] is a JSON file, method path → base64 of the response message (the bytes Parley gave for the same call).
 * Prints `echo listening on 127.0.0.1:<port>`.
 */
import { readFileSync } from 'node:fs';
import { type MethodDefinition, Server, ServerCredentials, type UntypedHandleCall } from '@grpc/grpc-js';

const responses: Record<string, string> = JSON.parse(readFileSync(process.argv[2]!, 'utf8'));

/** Hands bytes through, so that neither side of the yardstick pays for protobuf. */
const asIs = (bytes: Buffer): Buffer => bytes;

const methods: Record<string, MethodDefinition<Buffer, Buffer>> = {};
const handlers: Record<string, UntypedHandleCall> = {};
for (const [path, base64] of Object.entries(responses)) {
  const response = Buffer.from(base64, 'base64');
  methods[path] = {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  handlers[path] = (_call: unknown, answer: (error: null, response: Buffer) => void) =>
    answer(null, response);
}

const server = new Server({ 'grpc.enable_channelz': 0 });
server.addService(methods, handlers);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`echo listening on 127.0.0.1:${port}`);
});
process.once('SIGTERM', () => server.forceShutdown());
