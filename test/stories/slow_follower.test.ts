import { once } from 'node:events';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { FollowTurnsRequestSchema, FollowTurnsResponseSchema } from '../../gen/parley/v1/chat_service_pb.ts';
import { Cutter } from '../bench/cutter.ts';
import { residentBytes } from '../bench/processes.ts';
import { newId } from '../harness.ts';
import { ParleyProcess, sharedRedis } from '../processes.ts';
import { frame, rawCall } from '../rpc/wire.ts';
import type { Said } from './history.ts';
import { said } from './recorded_stream.ts';

const FOLLOWERS = 8;
const TURNS = 3000;
const TURN_BYTES = 4096;
const BATCH = 20;

it('followers who stop reading cost the server no memory, and get every turn in order when they read on', async () => {
  const env = { ...sharedRedis(), PARLEY_KEY_PREFIX: newId() };
  const [followed, written] = [new ParleyProcess(env), new ParleyProcess(env)];
  const { sessions, chat } = await written.ready();
  const sessionId = newId();
  await sessions.createSession({ sessionId });

  const port = Number((await followed.address()).split(':').at(-1));
  const body = frame(toBinary(FollowTurnsRequestSchema, create(FollowTurnsRequestSchema, { sessionId })));
  const path = '/parley.v1.ChatService/FollowTurns';
  const followers = Array.from({ length: FOLLOWERS }, () => rawCall(port, path, body));
  await Promise.all(followers.map((follower) => once(follower, 'response')));
  const before = residentBytes(followed.pid);
  for (let first = 1; first <= TURNS; first += BATCH) {
    const messages = Array.from({ length: BATCH }, (_, index) => ({ content: text(first + index) }));
    await chat.appendTurns({ sessionId, messages });
  }
  const grown = residentBytes(followed.pid) - before;
  expect(grown).toBeLessThan((FOLLOWERS * TURNS * TURN_BYTES) / 2);

  const everything = Array.from({ length: TURNS }, (_, index) => ({ seq: index + 1, text: text(index + 1) }));
  for (const follower of followers) expect(await firstTurns(follower)).toEqual(everything);
});

function text(seq: number): string {
  return `${seq} `.padEnd(TURN_BYTES, '.');
}

async function firstTurns(follower: AsyncIterable<Buffer>): Promise<Said[]> {
  const turns: Said[] = [];
  const length = (bytes: Buffer, at: number) => bytes.readUInt32BE(at + 1);
  const messages = new Cutter(5, length, (bytes, at, end) => {
    const { event } = fromBinary(FollowTurnsResponseSchema, bytes.subarray(at + 5, end));
    if (event.case === 'turn') turns.push(said(event.value));
  });
  for await (const chunk of follower) {
    messages.cut(chunk);
    if (turns.length >= TURNS) break;
  }
  return turns;
}
