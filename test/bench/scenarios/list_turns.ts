/**
 * ListTurns of the newest fifty: its CPU against that of an echo of as many bytes, and its latency in a session of a
 * hundred thousand turns against one of a hundred, one call at a time.
 */
import { ChatService, type ListTurnsResponse } from '../../../gen/parley/v1/chat_service_pb.ts';
import { fixedBody } from '../bodies.ts';
import { pathOf } from '../client.ts';
import { compare, comparedRow, rounds, type Side } from '../compare.ts';
import { type ParleyServer, startParley } from '../parley_server.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { versusEcho } from '../versus_echo.ts';
import { createTalks } from './turns.ts';

const method = ChatService.method.listTurns;
const PAGE = 50;
const SHORT = 100;
const LONG = 100_000;

/** Enough that no cache of a few pages makes the figure. */
const SESSIONS = 256;

export async function listTurns(stage: Stage): Promise<Findings> {
  await using parley = await startParley(stage.folder);
  const ids = await createTalks(parley.client, SESSIONS, SHORT);
  const [long] = await createTalks(parley.client, 1, LONG);
  await parley.redis.settled();
  const response = await pageOf(parley, ids[0]!, SHORT);
  const bodies = ids.map((sessionId) => fixedBody(method, { sessionId, pageSize: PAGE }));
  const scenario = `ListTurns of ${PAGE}`;
  const echoed = await versusEcho(stage, parley, { method, scenario, bodies, response, cpuAtMost: 2 });
  const [subject, baseline] = [await side(parley, long!, LONG), await side(parley, ids[0]!, SHORT)];
  const result = await compare(stage.generator, stage.pace, subject, baseline);
  const lengths = `${scenario} of ${LONG.toLocaleString('en')}, against ${SHORT}`;
  return {
    rows: [...echoed.rows, comparedRow(result, lengths, 'ms p50', (m) => m.p50Ms, { atMost: 1.5 })],
    details: { versusEcho: echoed.details, lengths: rounds(result) },
  };
}

/** One caller who asks for the same page again and again. */
async function side(parley: ParleyServer, sessionId: string, turns: number): Promise<Side> {
  await pageOf(parley, sessionId, turns);
  return {
    address: parley.address,
    path: pathOf(method),
    bodies: [fixedBody(method, { sessionId, pageSize: PAGE })],
    connections: 1,
    callers: 1,
    watch: parley.pids,
  };
}

/** A fast page that is wrong is worth nothing: returns the bytes of one that was looked at. */
async function pageOf({ client }: ParleyServer, sessionId: string, turns: number): Promise<Buffer> {
  const { message, bytes } = await client.call(method, { sessionId, pageSize: PAGE });
  if (!isNewest(message, turns)) throw new Error(`not the newest ${PAGE} of ${turns} turns`);
  return bytes;
}

function isNewest({ turns, nextPageToken }: ListTurnsResponse, lastSeq: number): boolean {
  const inOrder = turns.every(({ seq }, i) => seq === lastSeq - PAGE + 1 + i);
  return turns.length === PAGE && inOrder && nextPageToken !== '';
}
