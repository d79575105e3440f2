/** Who takes part: the rows of a session, and how they come and go. */
import { fieldInvalid, ParleyError } from '../errors.ts';
import type { JsonObject } from '../structs/json.ts';
import { isBound, type Micros, type Participant, type ParticipantKind } from './session.ts';

/** The most participants bound to a session at once. */
const MAX_BOUND = 256;
/** The most rows of a session, unbound ones included. */
const MAX_ROWS = 1024;
/** The most all rows together take as JSON, in bytes. */
const MAX_ROWS_BYTES = 1024 * 1024;

/** What a caller says of a participant. */
export interface NewParticipant {
  readonly participantId: string;
  readonly kind: ParticipantKind;
  readonly displayName: string;
  readonly instructions: string;
  readonly settings: JsonObject;
}

/**
 * The rows of a new session: the shorthands first, since they name the first of
 * each kind; somebody named as shorthand and as participant is one participant.
 */
export function firstParticipants(
  shorthands: { readonly userId: string; readonly agentId: string },
  named: readonly NewParticipant[],
  at: Micros,
): Participant[] {
  const { userId, agentId } = shorthands;
  if (userId !== '' && userId === agentId) {
    throw fieldInvalid('session.agent_id', 'names the same participant as session.user_id');
  }
  if (userId === '' && agentId === '' && named.length === 0) return [];
  const rows = new Map<string, NewParticipant>();
  if (userId !== '') rows.set(userId, bare(userId, 'USER'));
  if (agentId !== '') rows.set(agentId, bare(agentId, 'AGENT'));
  const seen = new Set<string>();
  for (const [index, participant] of named.entries()) {
    const { participantId, kind } = participant;
    const field = `session.participants[${index}]`;
    if (seen.has(participantId))
      throw fieldInvalid(`${field}.participant_id`, 'names a participant for the second time');
    if ((rows.get(participantId)?.kind ?? kind) !== kind) {
      throw fieldInvalid(`${field}.kind`, 'is not what user_id or agent_id says of this participant');
    }
    seen.add(participantId);
    rows.set(participantId, participant);
  }
  return checkQuota(
    [...rows.values()].map((participant) => ({ ...participant, joinedSeq: 0, bindTime: at })),
  );
}

/** The rows after binding: a new row, an old one that comes back, or a bound one with new particulars. */
export function bound(
  rows: readonly Participant[],
  participant: NewParticipant,
  lastSeq: number,
  at: Micros,
): { rows: readonly Participant[]; created: boolean } {
  const old = rows.find((row) => row.participantId === participant.participantId);
  if (!old)
    return {
      rows: checkQuota([...rows, { ...participant, joinedSeq: lastSeq, bindTime: at }]),
      created: true,
    };
  if (old.kind !== participant.kind) {
    throw new ParleyError(
      'PARTICIPANT_KIND_CONFLICT',
      `participant ${JSON.stringify(old.participantId)} is ${old.kind} in this session`,
    );
  }
  const { leftSeq: _left, unbindTime: _unbound, ...kept } = old;
  const row = { ...kept, ...participant, bindTime: isBound(old) ? old.bindTime : at };
  return { rows: checkQuota(replaced(rows, row)), created: false };
}

/** The rows after unbinding; the participant keeps its row. */
export function unbound(
  rows: readonly Participant[],
  id: string,
  lastSeq: number,
  at: Micros,
): readonly Participant[] {
  const row = rows.find(({ participantId }) => participantId === id);
  if (!row || !isBound(row)) {
    throw new ParleyError('PARTICIPANT_NOT_FOUND', `there is no bound participant ${JSON.stringify(id)}`, {
      resource: { type: 'parley.v1.Participant', name: id },
    });
  }
  return replaced(rows, { ...row, leftSeq: lastSeq, unbindTime: at });
}

function bare(participantId: string, kind: ParticipantKind): NewParticipant {
  return { participantId, kind, displayName: '', instructions: '', settings: {} };
}

function replaced(rows: readonly Participant[], row: Participant): Participant[] {
  return rows.map((old) => (old.participantId === row.participantId ? row : old));
}

function checkQuota(rows: Participant[]): Participant[] {
  const tooMany = (what: string) => new ParleyError('QUOTA_EXCEEDED', `a session holds at most ${what}`);
  if (rows.filter(isBound).length > MAX_BOUND) throw tooMany(`${MAX_BOUND} bound participants`);
  if (rows.length > MAX_ROWS) throw tooMany(`${MAX_ROWS} participants, unbound ones included`);
  if (Buffer.byteLength(JSON.stringify(rows)) > MAX_ROWS_BYTES)
    throw tooMany(`${MAX_ROWS_BYTES} bytes of participants`);
  return rows;
}
