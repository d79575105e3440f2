/**
 * The yardstick: a bare grpc-js server that answers every method with the same bytes each time, without decoding
 * anything. What it serves on this machine is what grpc-js can do at all; Parley is measured as a share of it.
 *
 * argv[2] is a JSON file, method path → base64 of the response message (the bytes Parley gave for the same call).
 * Prints `echo listening on 127.0.0.1:<port>`.
 */
import { readScript, serveBare } from './bare_server.ts';

const methods = Object.entries(readScript<Record<string, string>>()).map(([path, base64]) => {
  const response = Buffer.from(base64, 'base64');
  const handler = (_call: unknown, answer: (error: null, response: Buffer) => void) => answer(null, response);
  return { path, handler, responseStream: false };
});

serveBare('echo', methods);
