/**
 * AppendTurns of one short turn over many sessions, against an echo of its answer: with Redis writing to disk once a
 * second, which is what the target is for, and apart from it before every answer, which is how Parley starts it. At
 * the end every session must count the turns that were acknowledged.
 */
import { ChatService } from '../../../gen/parley/v1/chat_service_pb.ts';
import { SessionService } from '../../../gen/parley/v1/session_service_pb.ts';
import { fixedBody } from '../bodies.ts';
import type { ParleyClient } from '../client.ts';
import { eachFsync } from '../fsync.ts';
import type { Measured } from '../load.ts';
import { startParley } from '../parley_server.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { versusEcho } from '../versus_echo.ts';
import { createTalks, LINE } from './turns.ts';

const SESSIONS = 256;

/** From here to 16,383 seqs take two bytes, so that the answers keep their size. */
const TURNS_BEFORE = 128;

export async function append(stage: Stage): Promise<Findings> {
  await using parley = await startParley(stage.folder);
  const ids = await createTalks(parley.client, SESSIONS, TURNS_BEFORE);
  const method = ChatService.method.appendTurns;
  const request = (sessionId: string) => ({ sessionId, messages: [{ content: LINE }] });
  const bodies = ids.map((sessionId) => fixedBody(method, request(sessionId)));
  const { bytes: response } = await parley.client.call(method, request(ids[0]!));
  const expected = ids.map((_, i) => TURNS_BEFORE + (i === 0 ? 1 : 0));
  const count = async ({ acknowledged }: Measured) => {
    for (const [i, { calls }] of acknowledged.entries()) expected[i]! += calls;
  };
  const { rows, details } = await eachFsync(
    { everysec: { atLeast: 0.4 }, always: {} },
    async (policy, target) => {
      await parley.redis.appendFsync(policy);
      const scenario = `AppendTurns, appendfsync ${policy}`;
      return versusEcho(stage, parley, { method, bodies, response, scenario, ...target }, count);
    },
  );
  const lost = await miscounted(parley.client, ids, expected);
  const row = { scenario: 'AppendTurns', unit: 'turns lost', parley: lost, target: { atMost: 0 } };
  return { rows: [...rows, row], details };
}

/** By how many turns the sessions differ from what was acknowledged. */
async function miscounted(
  client: ParleyClient,
  ids: readonly string[],
  expected: readonly number[],
): Promise<number> {
  let wrong = 0;
  for (const [i, sessionId] of ids.entries()) {
    const { message } = await client.call(SessionService.method.getSession, { sessionId });
    wrong += Math.abs(message.session!.turnCount - expected[i]!);
  }
  return wrong;
}
