/** The two servers the scenarios of following compare, in the same state: Parley, and one that only broadcasts. */
import { ChatService, Start } from '../../../gen/parley/v1/chat_service_pb.ts';
import { fixedBody, SERIAL, type SerialBody, serialBody } from '../bodies.ts';
import { startBroadcast } from '../broadcast.ts';
import { type ParleyClient, pathOf } from '../client.ts';
import { Delivery } from '../delivery.ts';
import type { Audience } from '../followers.ts';
import { startParley } from '../parley_server.ts';
import type { PrivateRedis } from '../private_redis.ts';
import type { Stage } from '../stage.ts';
import { createTalks, LINE } from './turns.ts';

const { appendTurns, followTurns } = ChatService.method;

/** Both servers, and what either is sent. */
export interface Following extends AsyncDisposable {
  readonly parley: { readonly address: string; readonly pids: readonly number[] };
  readonly redis: PrivateRedis;
  readonly broadcast: { readonly address: string; readonly pids: readonly number[] };
  /** One for each session, as are the audience's. */
  readonly appends: readonly SerialBody[];
  readonly appendPath: string;
  audience(followers: number): Audience;
}

/** Starts them with so many sessions, in each of which so much has been said; an append is of so many turns. */
export async function startFollowing(
  stage: Stage,
  sessions: number,
  turnsBefore: number,
  turns = 1,
): Promise<Following> {
  await using servers = new AsyncDisposableStack();
  const parley = servers.use(await startParley(stage.folder));
  const ids = await createTalks(parley.client, sessions, turnsBefore);
  const appends = ids.map((id) => serialBody(appendTurns, appendTo(id, turns), turns));
  const [appendPath, followPath] = [pathOf(appendTurns), pathOf(followTurns)];
  const broadcast = servers.use(
    await startBroadcast({
      ...(await sample(parley.client, ids[0]!, turns)),
      followPath,
      appendPath,
      serialAt: appends[0]!.serialAt,
    }),
  );
  await parley.redis.settled();
  const fromNow = { case: 'start', value: Start.NOW } as const;
  const bodies = ids.map((sessionId) => fixedBody(followTurns, { sessionId, from: fromNow }));
  const stop = servers.move();
  return {
    parley,
    redis: parley.redis,
    broadcast: { address: broadcast.address, pids: [broadcast.pid] },
    appends,
    appendPath,
    audience: (followers) => ({ path: followPath, bodies, followers, turns, connections: stage.connections }),
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  };
}

function appendTo(sessionId: string, turns: number) {
  const message = { content: LINE, metadata: { serial: SERIAL } };
  return { sessionId, messages: Array.from({ length: turns }, () => message) };
}

/** What Parley says to somebody who appends and to somebody who follows, as base64. */
async function sample(client: ParleyClient, sessionId: string, turns: number) {
  const { message: before } = await client.call(appendTurns, appendTo(sessionId, turns));
  const { bytes: appended } = await client.call(appendTurns, appendTo(sessionId, turns));
  const from = { case: 'cursor', value: before.cursor } as const;
  const messages = await client.first(followTurns, { sessionId, from }, turns + 1);
  const [turn, caughtUp] = [messages[0], messages.at(-1)];
  const delivery = new Delivery();
  if (delivery.read(turn!, 0, turn!.length).serial !== SERIAL) throw new Error('a turn without its serial');
  if (delivery.read(caughtUp!, 0, caughtUp!.length).kind !== 'caught up') throw new Error('not caught up');
  const base64 = (bytes: Buffer) => bytes.toString('base64');
  return { turn: base64(turn!), caughtUp: base64(caughtUp!), appended: base64(appended) };
}
