/**
 * Sixteen writers who append to one session, against sixteen on a session each. After each round the log is read page
 * by page: it must hold every turn a writer was told is stored, each writer's in the order in which they were sent,
 * numbered without a gap, and the session must count as many.
 */
import { ChatService, Direction } from '../../../gen/parley/v1/chat_service_pb.ts';
import type { Turn } from '../../../gen/parley/v1/content_pb.ts';
import { SessionService } from '../../../gen/parley/v1/session_service_pb.ts';
import type { ParleyClient } from '../client.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { oneSession, type Told } from './one_session.ts';
import { LINE } from './turns.ts';

export function appendWriters(stage: Stage): Promise<Findings> {
  const lastSeqs = new Map<string, number>();
  return oneSession(stage, {
    who: 'writers',
    what: 'turns',
    method: ChatService.method.appendTurns,
    request: (sessionId, participantId, serial) => ({
      sessionId,
      messages: [{ participantId, content: LINE, metadata: { serial } }],
    }),
    atLeast: 0.8,
    async audit(client, sessionId, told) {
      const afterSeq = lastSeqs.get(sessionId) ?? 0;
      const turns = await turnsAfter(client, sessionId, afterSeq);
      const { message } = await client.call(SessionService.method.getSession, { sessionId });
      lastSeqs.set(sessionId, afterSeq + turns.length);
      const miscounted = Math.abs(message.session!.turnCount - afterSeq - turns.length);
      const misnumbered = turns.filter(({ seq }, i) => seq !== afterSeq + i + 1).length;
      return miscounted + misnumbered + unlike(told, turns);
    },
  });
}

async function turnsAfter(client: ParleyClient, sessionId: string, afterSeq: number): Promise<Turn[]> {
  const turns: Turn[] = [];
  const request = { sessionId, afterSeq, pageSize: 1000, direction: Direction.FORWARD };
  for (let pageToken = ''; ; ) {
    const { message } = await client.call(ChatService.method.listTurns, { ...request, pageToken });
    turns.push(...message.turns);
    pageToken = message.nextPageToken;
    if (pageToken === '') return turns;
  }
}

/** Turns too few or too many of any writer, or out of order, or not ending with the last it was told of. */
function unlike(told: readonly Told[], turns: readonly Turn[]): number {
  let wrong = turns.length;
  for (const { caller, calls, lastSerial } of told) {
    const serials = turns
      .filter(({ participantId }) => participantId === caller)
      .map(({ metadata }) => metadata?.serial as number);
    wrong -= serials.length; // What is left of them in the end is nobody's.
    wrong += Math.abs(serials.length - calls);
    wrong += serials.filter((serial, i) => i > 0 && serial <= serials[i - 1]!).length;
    if (serials.at(-1) !== lastSerial) wrong++;
  }
  return wrong;
}
