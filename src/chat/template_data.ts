/** What templates see of a session, under the API's own field names. */
import {
  type ActiveSession,
  boundParticipants,
  expireTime,
  type Micros,
  type Participant,
} from '../sessions/session.ts';
import type { JsonObject } from '../structs/json.ts';

/**
 * The variables of a template: `session`, `configs`, `metadata`, `data`, `participants` (the bound ones), `agent` (who
 * answers) and `user` (the first one), null when there is none, and `now` as RFC 3339 text, like every time.
 */
export function templateData(
  { session, activity }: ActiveSession,
  agent: Participant | undefined,
  now: Micros,
): JsonObject {
  const participants = boundParticipants(session);
  const first = (wanted: Participant['kind']) => participants.find(({ kind }) => kind === wanted);
  const end = expireTime({ ...session, updateTime: activity.updateTime });
  return {
    session: {
      namespace: session.namespace,
      session_id: session.sessionId,
      display_name: session.displayName,
      user_id: first('USER')?.participantId ?? '',
      agent_id: first('AGENT')?.participantId ?? '',
      last_turn_seq: activity.lastTurnSeq,
      turn_count: activity.turnCount,
      create_time: timeText(session.createTime),
      update_time: timeText(activity.updateTime),
      expire_time: end === undefined ? null : timeText(end),
    },
    configs: session.configs.configs ?? {},
    metadata: session.metadata,
    data: session.data,
    participants: participants.map(participantData),
    agent: participantData(agent),
    user: participantData(first('USER')),
    now: timeText(now),
  };
}

/** Not their instructions: what one agent is told is nobody else's business. */
function participantData(participant: Participant | undefined): JsonObject | null {
  if (!participant) return null;
  const { participantId, kind, displayName, settings } = participant;
  return { participant_id: participantId, kind, display_name: displayName, settings };
}

/** `2026-11-22T21:50:00Z`: to the second, since people read it. */
function timeText(time: Micros): string {
  return `${new Date(Math.floor(time / 1e6) * 1000).toISOString().slice(0, 19)}Z`;
}
