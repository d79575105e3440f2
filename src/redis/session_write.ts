/** A session to be written, as write_session takes it. */
import {
  type ConfigsRevision,
  endTime,
  isBound,
  isDeleted,
  type Participant,
  type Session,
  slidingTtl,
} from '../sessions/session.ts';
import type { Decision, FirstTurns } from '../sessions/store.ts';
import type { JsonObject } from '../structs/json.ts';
import type { Base } from './mutations.ts';
import { revisionEntry } from './revisions.ts';
import { documentWrite } from './session_document.ts';

/**
 * The arguments of the script, but for what is to be remembered. `write`: absent when that is all; `stored`: the session
 * as it is answered.
 */
export function writeArguments(
  { session, activity }: Base,
  decision: Decision<unknown>,
  write: Session | undefined,
  channel: string,
  stored: string,
): string[] {
  const { atSeq, reset, idle, turns } = decision;
  const expected = [session?.etag, atSeq ? activity.lastTurnSeq : undefined];
  if (!write) return [[...expected, 0].join(' '), channel, '', '', ''];
  const document = documentWrite(session, write);
  const end = endTime(write);
  const outgoing = session && isOver(session.configs, write.configs) ? session.configs : undefined;
  const fields = [...rosterFields(session, write), ...(turns ? copyFields(turns) : [])];
  const about = [
    ...expected,
    fields.length,
    document.patch ? 1 : 0,
    write.etag,
    write.updateTime,
    write.createTime,
    isDeleted(write) ? 1 : 0,
    end && Math.ceil(end / 1000),
    slidingTtl(write),
    outgoing?.revision,
    reset,
    idle ? 1 : 0,
  ];
  const entry = outgoing ? revisionEntry(outgoing, document.patch?.configs as JsonObject | undefined) : '';
  return [about.join(' '), channel, document.text, stored, entry, ...fields.map(String)];
}

/** Whether a revision is to be kept, now that there is another; what was before the first is none. */
function isOver({ revision }: ConfigsRevision, next: ConfigsRevision): boolean {
  return revision > 0 && next.revision > revision;
}

/**
 * Whom turns count for, as append_turns reads it: the only bound user, the only bound agent, and everybody with a row,
 * a line each.
 */
function rosterFields(base: Session | undefined, { participants }: Session): string[] {
  if (participants === base?.participants || (participants.length === 0 && !base)) return [];
  const lines = [only(participants, 'USER'), only(participants, 'AGENT')];
  for (const { participantId } of participants) lines.push(participantId);
  return ['roster', `${lines.join('\n')}\n`];
}

function only(participants: readonly Participant[], kind: Participant['kind']): string {
  const bound = participants.filter((participant) => participant.kind === kind && isBound(participant));
  return bound.length === 1 ? bound[0]!.participantId : '';
}

function copyFields({ copy, lastSeq, summary, summarizedSeq }: FirstTurns): (string | number)[] {
  const { lastTurnSeq, turnCount, turnsBy } = copy;
  const fields = ['last', lastSeq, 'kept', lastTurnSeq, 'count', turnCount, 'by', JSON.stringify(turnsBy)];
  return summarizedSeq > 0 ? [...fields, 'summary', summary, 'summarized', summarizedSeq] : fields;
}
