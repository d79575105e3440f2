/**
 * GetContext, which builds the prompt of an answer, in a session of ten thousand turns against one of a hundred, when
 * the same newest turns fit in both: one call at a time.
 */
import { ChatService } from '../../../gen/parley/v1/chat_service_pb.ts';
import { fixedBody } from '../bodies.ts';
import { pathOf } from '../client.ts';
import { compare, comparedRow, rounds, type Side } from '../compare.ts';
import { type ParleyServer, startParley } from '../parley_server.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { createTalks, LINE } from './turns.ts';

const method = ChatService.method.getContext;
const LONG = 10_000;
const SHORT = 100;

/** About fifty turns' worth. */
const TOKEN_BUDGET = 2400;

export async function chatContext(stage: Stage): Promise<Findings> {
  await using parley = await startParley(stage.folder);
  const session = { tokenBudget: TOKEN_BUDGET };
  const [long] = await createTalks(parley.client, 1, LONG, session);
  const [short] = await createTalks(parley.client, 1, SHORT, session);
  await parley.redis.settled();
  const [subject, baseline] = [await side(parley, long!, LONG), await side(parley, short!, SHORT)];
  const result = await compare(stage.generator, stage.pace, subject, baseline);
  const scenario = `GetContext at ${LONG.toLocaleString('en')} turns, against ${SHORT}`;
  return {
    rows: [
      comparedRow(result, scenario, 'ms p50', (m) => m.p50Ms, { atMost: 2 }),
      comparedRow(result, scenario, 'µs CPU/call', (m) => m.cpuMicrosPerCall[0]!),
    ],
    details: rounds(result),
  };
}

/** One caller who asks for the same prompt again and again, after one look at whether it is the newest that fits. */
async function side(parley: ParleyServer, sessionId: string, turns: number): Promise<Side> {
  const request = { sessionId, messages: [{ content: LINE }] };
  const { message } = await parley.client.call(method, request);
  const seqs = message.messages.map(({ seq }) => seq).filter((seq) => seq > 0);
  const newest = seqs.every((seq, i) => seq === turns - seqs.length + 1 + i);
  if (!newest || seqs.length < 40 || seqs.length > 60 || message.omittedTurns !== turns - seqs.length)
    throw new Error(`a prompt of ${seqs.length} turns that are not the newest of ${turns}`);
  return {
    address: parley.address,
    path: pathOf(method),
    bodies: [fixedBody(method, request)],
    connections: 1,
    callers: 1,
    watch: parley.pids,
  };
}
