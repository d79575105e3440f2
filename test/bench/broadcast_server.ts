/**
 * The yardstick of following: a bare grpc-js server that keeps its followers in a map and nothing else, and writes the
 * same bytes to all of a session's whenever somebody appends to it, a message for each turn. It takes Parley's own
 * requests, of which it reads the session id and the serials, and sends Parley's own bytes, in which it replaces seq
 * and serial in place: so the followers can check it as they check Parley, and it does nothing per follower but write.
 *
 * argv[2] is a JSON file, a {@link BroadcastScript}. Prints `broadcast listening on 127.0.0.1:<port>`.
 */
import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { readScript, serveBare } from './bare_server.ts';
import type { BroadcastScript } from './broadcast.ts';
import { Delivery } from './delivery.ts';

interface Topic {
  readonly followers: Set<ServerWritableStream<Buffer, Buffer>>;
  lastSeq: number;
}

const script = readScript<BroadcastScript>();
const caughtUp = Buffer.from(script.caughtUp, 'base64');
const turn = Buffer.from(script.turn, 'base64');
const appended = Buffer.from(script.appended, 'base64');
const sample = new Delivery().read(turn, 0, turn.length);
const topics = new Map<string, Topic>();

/** Both requests begin with field 2, the session id: a tag, a length, the id. */
function topicOf(request: Buffer): Topic {
  if (request[0] !== 0x12) throw new Error('a request that does not begin with its session id');
  const sessionId = request.toString('latin1', 2, 2 + request[1]!);
  let topic = topics.get(sessionId);
  if (!topic) {
    topic = { followers: new Set(), lastSeq: sample.seq };
    topics.set(sessionId, topic);
  }
  return topic;
}

function follow(call: ServerWritableStream<Buffer, Buffer>): void {
  const { followers } = topicOf(call.request);
  followers.add(call);
  call.once('cancelled', () => followers.delete(call));
  call.write(caughtUp);
}

function append(
  { request }: ServerUnaryCall<Buffer, Buffer>,
  answer: (error: null, response: Buffer) => void,
): void {
  const topic = topicOf(request);
  for (const serialAt of script.serialAt) {
    const message = Buffer.from(turn); // a stream that is slow to send keeps it for a while
    writeSeq(message, ++topic.lastSeq);
    request.copy(message, sample.serialAt, serialAt, serialAt + 8);
    for (const follower of topic.followers) follower.write(message);
  }
  answer(null, appended);
}

/** In as many bytes as the sample's seq has. */
function writeSeq(message: Buffer, seq: number): void {
  let rest = seq;
  for (let at = sample.seqStart; at < sample.seqEnd - 1; at++) {
    message[at] = (rest & 127) | 128;
    rest >>= 7;
  }
  if (rest === 0 || rest > 127) throw new Error(`turn ${seq} takes more or fewer bytes than the sample`);
  message[sample.seqEnd - 1] = rest;
}

serveBare('broadcast', [
  { path: script.followPath, handler: follow, responseStream: true },
  { path: script.appendPath, handler: append, responseStream: false },
]);
