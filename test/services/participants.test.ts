import { describe, expect, it } from 'vitest';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { failure, refusal, resource, summary } from '../refusal.ts';

const parley = useParley();
const { AGENT, USER, UNSPECIFIED } = ParticipantKind;

async function created(session: { userId?: string; agentId?: string } = {}): Promise<string> {
  return (await parley.sessions.createSession({ session })).session!.sessionId;
}

function bind(sessionId: string, participantId: string, more: object = {}) {
  return parley.sessions.bindParticipant({ sessionId, participant: { participantId, kind: USER, ...more } });
}

async function listed(sessionId: string, includeUnbound = false): Promise<string[]> {
  const { participants } = await parley.sessions.listParticipants({ sessionId, includeUnbound });
  return participants.map(({ participantId }) => participantId);
}

describe('binding', () => {
  it('adds a participant with all that is said of it', async () => {
    const sessionId = await created();
    const said = {
      kind: AGENT,
      displayName: 'Bot',
      instructions: 'Be {{ tone }}.',
      settings: { model: 'm', n: null },
    };
    const { participant, created: first } = await bind(sessionId, 'bot', said);
    expect(participant).toMatchObject({
      participantId: 'bot',
      ...said,
      joinedSeq: 0,
      turnCount: 0,
      insightCount: 0,
    });
    expect([participant!.leftSeq, participant!.unbindTime]).toEqual([undefined, undefined]);
    expect(first).toBe(true);
    expect((await parley.sessions.getSession({ sessionId })).session).toMatchObject({
      agentId: 'bot',
      participants: [participant],
    });
  });

  it('again replaces what was said, keeps the time of binding, and is not a creation', async () => {
    const sessionId = await created();
    const first = await bind(sessionId, 'ann', { displayName: 'Ann', settings: { a: 1 } });
    const again = await bind(sessionId, 'ann', { instructions: 'new' });
    expect(again).toMatchObject({
      created: false,
      participant: {
        displayName: '',
        instructions: 'new',
        settings: {},
        bindTime: first.participant!.bindTime,
      },
    });
  });

  it('again with the same changes nothing', async () => {
    const sessionId = await created({ userId: 'ann' });
    const before = await parley.sessions.getSession({ sessionId });
    await bind(sessionId, 'ann');
    expect(await parley.sessions.getSession({ sessionId })).toEqual(before);
  });

  it.each([
    ['bound', false],
    ['unbound', true],
  ])('as another kind is refused while the participant is %s', async (_, leave) => {
    const sessionId = await created({ userId: 'ann' });
    if (leave) await parley.sessions.unbindParticipant({ sessionId, participantId: 'ann' });
    const call = bind(sessionId, 'ann', { kind: AGENT });
    expect(await refusal(call)).toBe('FAILED_PRECONDITION PARTICIPANT_KIND_CONFLICT');
  });

  it('to an absent session is NOT_FOUND', async () => {
    expect(await refusal(bind(newId(), 'ann'))).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });

  it.each([
    ['no participant', undefined, 'participant'],
    ['no id', { kind: USER }, 'participant.participant_id'],
    ['a malformed id', { participantId: 'a b', kind: USER }, 'participant.participant_id'],
    ['no kind', { participantId: 'a', kind: UNSPECIFIED }, 'participant.kind'],
    ['an unknown kind', { participantId: 'a', kind: 9 as ParticipantKind }, 'participant.kind'],
    [
      'a long name',
      { participantId: 'a', kind: USER, displayName: 'x'.repeat(257) },
      'participant.display_name',
    ],
    [
      'long instructions',
      { participantId: 'a', kind: USER, instructions: 'é'.repeat(32_769) },
      'participant.instructions',
    ],
  ])('%s is refused and named', async (_, participant, field) => {
    const sessionId = await created();
    const call = parley.sessions.bindParticipant({ sessionId, ...(participant && { participant }) });
    expect(await refusal(call)).toBe(`INVALID_ARGUMENT FIELD_INVALID ${field}`);
  });

  it('of many at once binds them all', async () => {
    const sessionId = await created();
    const ids = Array.from({ length: 24 }, (_, index) => `p${index}`);
    await Promise.all(ids.map((id) => bind(sessionId, id)));
    expect((await listed(sessionId)).sort()).toEqual(ids.toSorted());
  });
});

describe('unbinding', () => {
  it('hides the participant and keeps its row, which comes back in its old place', async () => {
    const sessionId = await created({ userId: 'ann', agentId: 'bot' });
    await bind(sessionId, 'ben', { displayName: 'Ben' });
    const { participant } = await parley.sessions.unbindParticipant({ sessionId, participantId: 'ann' });
    expect(participant).toMatchObject({ participantId: 'ann', joinedSeq: 0, leftSeq: 0 });
    expect(participant!.unbindTime).toBeDefined();
    expect(await listed(sessionId)).toEqual(['bot', 'ben']);
    expect(await listed(sessionId, true)).toEqual(['ann', 'bot', 'ben']);
    expect((await parley.sessions.getSession({ sessionId })).session).toMatchObject({
      userId: 'ben',
      agentId: 'bot',
    });

    const back = await bind(sessionId, 'ann');
    expect(back.created).toBe(false);
    expect([back.participant!.leftSeq, back.participant!.unbindTime]).toEqual([undefined, undefined]);
    expect(await listed(sessionId)).toEqual(['ann', 'bot', 'ben']);
    expect((await parley.sessions.getSession({ sessionId })).session!.userId).toBe('ann');
  });

  it('what is absent or unbound is NOT_FOUND and says who', async () => {
    const sessionId = await created({ userId: 'ann' });
    await parley.sessions.unbindParticipant({ sessionId, participantId: 'ann' });
    for (const participantId of ['ann', 'nobody']) {
      const error = await failure(parley.sessions.unbindParticipant({ sessionId, participantId }));
      expect(summary(error)).toBe('NOT_FOUND PARTICIPANT_NOT_FOUND');
      expect(resource(error)).toBe(`parley.v1.Participant ${participantId}`);
    }
  });
});

describe('the participants of a session', () => {
  it('are at most 256 bound ones; unbinding one makes room for another', async () => {
    const participants = Array.from({ length: 256 }, (_, index) => ({
      participantId: `p${index}`,
      kind: USER,
    }));
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId, session: { participants } });
    expect(await refusal(bind(sessionId, 'one-more'))).toBe('RESOURCE_EXHAUSTED QUOTA_EXCEEDED');
    await bind(sessionId, 'p7', { displayName: 'updated all the same' });
    await parley.sessions.unbindParticipant({ sessionId, participantId: 'p7' });
    expect((await bind(sessionId, 'one-more')).created).toBe(true);
    expect(await refusal(bind(sessionId, 'p7'))).toBe('RESOURCE_EXHAUSTED QUOTA_EXCEEDED');
    expect(await listed(sessionId)).toHaveLength(256);
    expect(await listed(sessionId, true)).toHaveLength(257);
  });

  it('are at most 256 from the start, those by shorthand counted', async () => {
    const participants = Array.from({ length: 257 }, (_, index) => ({
      participantId: `p${index}`,
      kind: USER,
    }));
    expect(await refusal(parley.sessions.createSession({ session: { participants } }))).toBe(
      'INVALID_ARGUMENT FIELD_INVALID session.participants',
    );
    const session = { agentId: 'bot', participants: participants.slice(1) };
    expect(await refusal(parley.sessions.createSession({ session }))).toBe(
      'RESOURCE_EXHAUSTED QUOTA_EXCEEDED',
    );
  });

  it('of an absent session are NOT_FOUND', async () => {
    const call = parley.sessions.listParticipants({ sessionId: newId() });
    expect(await refusal(call)).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });
});
