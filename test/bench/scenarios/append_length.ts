/**
 * What an append costs in sessions of a thousand turns, against sessions of a hundred: the latency of one call at a
 * time, in many short rounds. CPU would say the same on a quiet machine, but differs by a half from round to round on
 * a busy one, where the median of many pairs, each of two moments close together, stays within a few hundredths. Redis
 * writes to disk once a second meanwhile, as a disk that is waited for would hide what the rest costs.
 *
 * After each round the sessions are rewound to the length they began with. What is removed must be what was
 * acknowledged, turn for turn.
 */
import { ChatService } from '../../../gen/parley/v1/chat_service_pb.ts';
import { fixedBody } from '../bodies.ts';
import { pathOf } from '../client.ts';
import { compare, comparedRow, type Pace, rounds, type Side } from '../compare.ts';
import type { Measured } from '../load.ts';
import { type ParleyServer, startParley } from '../parley_server.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { createTalks, LINE } from './turns.ts';

const LONG = 1000;
const SHORT = 100;

/** So many that a round makes none of them much longer. */
const SESSIONS = 100;

/** How many short rounds make one of the other scenarios'. */
const SHARES = 8;

export async function appendLength(stage: Stage): Promise<Findings> {
  await using parley = await startParley(stage.folder);
  const long = await createTalks(parley.client, SESSIONS, LONG);
  const short = await createTalks(parley.client, SESSIONS, SHORT);
  await parley.redis.appendFsync('everysec');
  await parley.redis.settled();
  const result = await compare(
    stage.generator,
    shortRounds(stage.pace),
    side(parley, long),
    side(parley, short),
    (name, measured) =>
      name === 'subject' ? rewind(parley, long, LONG, measured) : rewind(parley, short, SHORT, measured),
  );
  const scenario = `AppendTurns at ${LONG.toLocaleString('en')} turns, against ${SHORT}`;
  return {
    rows: [
      comparedRow(result, scenario, 'ms p50', (m) => m.p50Ms, { atMost: 1.1 }),
      comparedRow(result, scenario, 'µs CPU/call', (m) => m.cpuMicrosPerCall[0]!),
    ],
    details: rounds(result),
  };
}

function shortRounds({ rounds, seconds, warmUpSeconds }: Pace): Pace {
  return { rounds: rounds * SHARES, seconds: seconds / SHARES, warmUpSeconds: warmUpSeconds / SHARES };
}

function side(parley: ParleyServer, ids: readonly string[]): Side {
  const method = ChatService.method.appendTurns;
  return {
    address: parley.address,
    path: pathOf(method),
    bodies: ids.map((sessionId) => fixedBody(method, { sessionId, messages: [{ content: LINE }] })),
    connections: 1,
    callers: 1,
    watch: parley.pids,
  };
}

async function rewind(
  { client }: ParleyServer,
  ids: readonly string[],
  toSeq: number,
  { acknowledged }: Measured,
): Promise<void> {
  for (const [i, sessionId] of ids.entries()) {
    const { message } = await client.call(ChatService.method.rewindHistory, { sessionId, toSeq });
    const { calls } = acknowledged[i]!;
    if (message.removed !== calls)
      throw new Error(`${calls} turns were acknowledged, and ${message.removed} were there`);
  }
}
