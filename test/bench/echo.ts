/** Starts the bare grpc-js server that Parley's answers are compared with. */
import { type Bare, startBare } from './bare.ts';

/** An echo that answers the method at `path` with `response`, the bytes Parley gave. */
export function startEcho(path: string, response: Uint8Array): Promise<Bare> {
  return startBare('echo', { [path]: Buffer.from(response).toString('base64') });
}
