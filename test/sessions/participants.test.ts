import { describe, expect, it } from 'vitest';
import { ParleyError } from '../../src/errors.ts';
import { bound, firstParticipants, type NewParticipant, unbound } from '../../src/sessions/participants.ts';
import type { Participant } from '../../src/sessions/session.ts';

function aParticipant(participantId: string, fields: Partial<NewParticipant> = {}): NewParticipant {
  return { participantId, kind: 'USER', displayName: '', instructions: '', settings: {}, ...fields };
}

function many(count: number): NewParticipant[] {
  return Array.from({ length: count }, (_, at) => aParticipant(`user-${at}`));
}

/** Reason and field of a refusal. */
function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ParleyError) {
      return [error.reason, ...(error.context.fields ?? []).map(({ field }) => field)].join(' ');
    }
  }
  return 'none';
}

const nobody = { userId: '', agentId: '' };
const both = { userId: 'ann', agentId: 'bot' };

describe('the participants of a new session', () => {
  it('are the shorthands first, and then the named in their order', () => {
    const rows = firstParticipants(both, [aParticipant('zoe'), aParticipant('abe')], 7);
    expect(rows.map(({ participantId, kind }) => [participantId, kind])).toEqual([
      ['ann', 'USER'],
      ['bot', 'AGENT'],
      ['zoe', 'USER'],
      ['abe', 'USER'],
    ]);
    for (const row of rows) expect(row).toMatchObject({ joinedSeq: 0, bindTime: 7 });
    expect(firstParticipants(nobody, [], 7)).toEqual([]);
  });

  it('have somebody named both ways once, with the particulars', () => {
    const bot = aParticipant('bot', { kind: 'AGENT', displayName: 'Bot', settings: { t: 1 } });
    expect(firstParticipants(both, [bot], 7)).toEqual([
      { ...aParticipant('ann'), joinedSeq: 0, bindTime: 7 },
      { ...bot, joinedSeq: 0, bindTime: 7 },
    ]);
  });

  it.each<[string, string, Parameters<typeof firstParticipants>[0], NewParticipant[]]>([
    ['one id for both kinds', 'session.agent_id', { userId: 'ann', agentId: 'ann' }, []],
    [
      'one id twice',
      'session.participants[1].participant_id',
      nobody,
      [aParticipant('a'), aParticipant('a')],
    ],
    [
      'one id twice after a shorthand',
      'session.participants[1].participant_id',
      both,
      [aParticipant('ann'), aParticipant('ann')],
    ],
    ['another kind than the shorthand', 'session.participants[0].kind', both, [aParticipant('bot')]],
    ['an agent for a user', 'session.participants[0].kind', both, [aParticipant('ann', { kind: 'AGENT' })]],
  ])('cannot be %s', (_, field, shorthands, named) => {
    expect(refusal(() => firstParticipants(shorthands, named, 7))).toBe(`FIELD_INVALID ${field}`);
  });

  it('may be 256 and not one more', () => {
    expect(firstParticipants(nobody, many(256), 7)).toHaveLength(256);
    expect(refusal(() => firstParticipants(both, many(255), 7))).toBe('QUOTA_EXCEEDED');
  });
});

describe('binding', () => {
  const ann: Participant = { ...aParticipant('ann'), joinedSeq: 2, bindTime: 5 };
  const zoe: Participant = { ...aParticipant('zoe'), joinedSeq: 3, bindTime: 6 };

  it('adds a row at the end for somebody new', () => {
    const bot = aParticipant('bot', { kind: 'AGENT' });
    expect(bound([ann], bot, 9, 7)).toEqual({
      rows: [ann, { ...bot, joinedSeq: 9, bindTime: 7 }],
      created: true,
    });
  });

  it('replaces the particulars of somebody who is bound, and nothing else', () => {
    const named = aParticipant('ann', { displayName: 'Ann', settings: { a: 1 } });
    expect(bound([ann, zoe], named, 9, 7)).toEqual({ rows: [{ ...ann, ...named }, zoe], created: false });
  });

  it('brings somebody back into the old row, as of now', () => {
    const left = { ...ann, leftSeq: 8, unbindTime: 6 };
    const { rows, created } = bound([left, zoe], aParticipant('ann'), 9, 7);
    expect(rows).toEqual([{ ...ann, bindTime: 7 }, zoe]);
    expect(created).toBe(false);
  });

  it('refuses another kind, also of somebody who left', () => {
    const agent = aParticipant('ann', { kind: 'AGENT' });
    expect(refusal(() => bound([ann], agent, 9, 7))).toBe('PARTICIPANT_KIND_CONFLICT');
    expect(refusal(() => bound([{ ...ann, unbindTime: 6 }], agent, 9, 7))).toBe('PARTICIPANT_KIND_CONFLICT');
  });

  it('refuses a 257th, who finds room when another has left, up to 1024 rows', () => {
    let rows: readonly Participant[] = firstParticipants(nobody, many(256), 1);
    expect(refusal(() => bound(rows, aParticipant('late'), 0, 2))).toBe('QUOTA_EXCEEDED');
    for (let at = 0; rows.length < 1024; at++) {
      rows = unbound(rows, rows[at]!.participantId, 0, 2);
      rows = bound(rows, aParticipant(`next-${at}`), 0, 3).rows;
    }
    rows = unbound(rows, rows.at(-1)!.participantId, 0, 2);
    expect(refusal(() => bound(rows, aParticipant('late'), 0, 2))).toBe('QUOTA_EXCEEDED');
    expect(bound(rows, aParticipant('user-0'), 0, 2).rows).toHaveLength(1024);
  });

  it('refuses more than a megabyte of them together', () => {
    const large = (at: number) => aParticipant(`user-${at}`, { instructions: 'x'.repeat(64 * 1024) });
    let rows: readonly Participant[] = [];
    for (let at = 0; at < 15; at++) rows = bound(rows, large(at), 0, 1).rows;
    expect(refusal(() => bound(rows, large(15), 0, 1))).toBe('QUOTA_EXCEEDED');
  });
});

describe('unbinding', () => {
  const ann: Participant = { ...aParticipant('ann'), joinedSeq: 2, bindTime: 5 };

  it('keeps the row and notes when', () => {
    expect(unbound([ann], 'ann', 8, 6)).toEqual([{ ...ann, leftSeq: 8, unbindTime: 6 }]);
  });

  it('finds nobody who is absent or has left already', () => {
    expect(refusal(() => unbound([ann], 'zoe', 8, 6))).toBe('PARTICIPANT_NOT_FOUND');
    expect(refusal(() => unbound(unbound([ann], 'ann', 8, 6), 'ann', 9, 7))).toBe('PARTICIPANT_NOT_FOUND');
  });
});
