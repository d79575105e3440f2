import { describe, expect, it } from 'vitest';
import { ContextOverflow, ParticipantKind, TtlPolicy } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { failure, refusal, resource, summary } from '../refusal.ts';

const parley = useParley();
const { AGENT, USER } = ParticipantKind;

describe('the id of a new session', () => {
  it('is the one the caller gives', async () => {
    const sessionId = newId();
    const { session, created } = await parley.sessions.createSession({ sessionId });
    expect(session).toMatchObject({ namespace: 'default', sessionId });
    expect(created).toBe(true);
  });

  it('is a UUIDv7 of the server when the caller gives none, later ones greater', async () => {
    const first = (await parley.sessions.createSession({})).session!.sessionId;
    const second = (await parley.sessions.createSession({})).session!.sessionId;
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(second > first).toBe(true);
  });

  it('may hold every character the rule allows, and be 128 long', async () => {
    for (const sessionId of [`${newId()}._:@-Zz9`, newId().padEnd(128, 'x'), newId().slice(-1)]) {
      await parley.sessions.createSession({ namespace: 'ids', sessionId });
      const { session } = await parley.sessions.getSession({ namespace: 'ids', sessionId });
      expect(session!.sessionId).toBe(sessionId);
    }
  });

  it('comes from the request_id when there is one, so that a retry without an id is the same session', async () => {
    const requestId = newId();
    const first = await parley.sessions.createSession({ requestId });
    expect(await parley.sessions.createSession({ requestId })).toEqual(first);
    const elsewhere = await parley.sessions.createSession({ namespace: 'elsewhere', requestId });
    expect(elsewhere.session!.sessionId).not.toBe(first.session!.sessionId);
  });

  it('may be repeated inside the session, and must then be the same', async () => {
    const sessionId = newId();
    const ids = { namespace: 'default', sessionId };
    await parley.sessions.createSession({ sessionId, session: ids });
    const other = { sessionId: newId(), session: ids };
    expect(await refusal(parley.sessions.createSession(other))).toBe(
      'INVALID_ARGUMENT FIELD_INVALID session.session_id',
    );
    expect(
      await refusal(
        parley.sessions.createSession({ namespace: 'other', session: { ...ids, sessionId: '' } }),
      ),
    ).toBe('INVALID_ARGUMENT FIELD_INVALID session.namespace');
  });

  it('cannot come from inside the session alone', async () => {
    const call = parley.sessions.createSession({ session: { sessionId: newId() } });
    expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID session.session_id');
  });
});

describe('an id that is taken', () => {
  it('is ALREADY_EXISTS and names the session', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId });
    const error = await failure(parley.sessions.createSession({ sessionId }));
    expect(summary(error)).toBe('ALREADY_EXISTS SESSION_ALREADY_EXISTS');
    expect(resource(error)).toBe(`parley.v1.Session ${sessionId}`);
  });

  it('with allow_existing gives the existing session untouched', async () => {
    const sessionId = newId();
    const { session } = await parley.sessions.createSession({ sessionId, session: { displayName: 'first' } });
    const again = { sessionId, session: { displayName: 'second' }, allowExisting: true };
    expect(await parley.sessions.createSession(again)).toMatchObject({ session, created: false });
    expect((await parley.sessions.getSession({ sessionId })).session).toEqual(session);
  });

  it('with allow_existing creates what is not there', async () => {
    expect((await parley.sessions.createSession({ sessionId: newId(), allowExisting: true })).created).toBe(
      true,
    );
  });

  it('goes to one of many who ask for it at once', async () => {
    const sessionId = newId();
    const calls = Array.from({ length: 16 }, () => parley.sessions.createSession({ sessionId }));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(summary(outcome.reason)).toBe('ALREADY_EXISTS SESSION_ALREADY_EXISTS');
    }
  });
});

describe('a new session', () => {
  it('without anything said has every default', async () => {
    const { session } = await parley.sessions.createSession({});
    expect(session).toMatchObject({
      displayName: '',
      userId: '',
      agentId: '',
      participants: [],
      situation: '',
      renderTemplates: false,
      summary: '',
      metadata: {},
      data: {},
      contextOverflow: ContextOverflow.ADAPTIVE,
      tokenBudget: 0,
      ttlPolicy: TtlPolicy.FIXED,
      lastTurnSeq: 0,
      turnCount: 0,
      configsRevision: 0,
      activeRunId: '',
    });
    for (const unset of ['configs', 'ttl', 'forkedFrom', 'deleteTime', 'expireTime', 'purgeTime'] as const)
      expect(session![unset], unset).toBeUndefined();
    expect(session!.createTime).toEqual(session!.updateTime);
    expect(session!.etag).not.toBe('');
  });

  it('keeps every field a caller can set, and what is read is what create answered', async () => {
    const sessionId = newId();
    const fields = {
      displayName: 'Überraschung 🎂',
      situation: 'In {{ data.room }}',
      renderTemplates: true,
      metadata: { team: 'a' },
      configs: { model: 'echo' },
      data: { room: 7 },
      contextOverflow: ContextOverflow.SUMMARIZE,
      tokenBudget: 10_000_000,
      ttl: { seconds: 3600n, nanos: 0 },
      ttlPolicy: TtlPolicy.SLIDING,
    };
    const { session } = await parley.sessions.createSession({ sessionId, session: fields });
    expect(session).toMatchObject({ ...fields, configsRevision: 1 });
    expect((await parley.sessions.getSession({ sessionId })).session).toEqual(session);
  });

  it('ignores the output-only fields it is sent', async () => {
    const time = { seconds: 1n, nanos: 0 };
    const outputs = {
      summary: 's',
      lastTurnSeq: 9,
      turnCount: 9,
      configsRevision: 9,
      activeRunId: 'r',
      etag: 'e',
    };
    const times = { createTime: time, updateTime: time, deleteTime: time, expireTime: time, purgeTime: time };
    const { session } = await parley.sessions.createSession({ session: { ...outputs, ...times } });
    expect(session).toMatchObject({
      summary: '',
      lastTurnSeq: 0,
      turnCount: 0,
      configsRevision: 0,
      activeRunId: '',
    });
    expect(session!.etag).not.toBe('e');
    expect(session!.createTime!.seconds).toBeGreaterThan(1n);
    expect(session!.deleteTime).toBeUndefined();
  });

  it('tells unset configs from empty ones', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId, session: { configs: {} } });
    const { session } = await parley.sessions.getSession({ sessionId });
    expect(session).toMatchObject({ configs: {}, configsRevision: 1 });
  });
});

describe('who takes part from the start', () => {
  it('is a participant by shorthand', async () => {
    const { session } = await parley.sessions.createSession({ session: { userId: 'ann', agentId: 'bot' } });
    expect(session).toMatchObject({ userId: 'ann', agentId: 'bot' });
    expect(session!.participants).toMatchObject([
      { participantId: 'ann', kind: USER, settings: {}, joinedSeq: 0 },
      { participantId: 'bot', kind: AGENT },
    ]);
  });

  it('is one participant when named as shorthand and in the list, with what the list says', async () => {
    const ann = { participantId: 'ann', kind: USER, displayName: 'Ann' };
    const { session } = await parley.sessions.createSession({
      session: { userId: 'ann', participants: [ann] },
    });
    expect(session!.participants).toMatchObject([ann]);
  });

  it('is shown by the shorthands though named in the list only, the first of each kind', async () => {
    const participants = [
      { participantId: 'bot', kind: AGENT },
      { participantId: 'ann', kind: USER },
      { participantId: 'ben', kind: USER },
    ];
    const { session } = await parley.sessions.createSession({ session: { participants } });
    expect(session).toMatchObject({ userId: 'ann', agentId: 'bot', participants });
  });

  it.each([
    ['shorthands', { userId: 'x', agentId: 'x' }, 'session.agent_id'],
    [
      'shorthand and list',
      { userId: 'x', participants: [{ participantId: 'x', kind: AGENT }] },
      'session.participants[0].kind',
    ],
    [
      'list',
      {
        participants: [
          { participantId: 'x', kind: USER },
          { participantId: 'x', kind: AGENT },
        ],
      },
      'session.participants[1].participant_id',
    ],
  ])('cannot be user and agent under one id: %s', async (_, session, field) => {
    const sessionId = newId();
    const call = parley.sessions.createSession({ sessionId, session });
    expect(await refusal(call)).toBe(`INVALID_ARGUMENT FIELD_INVALID ${field}`);
    expect(await refusal(parley.sessions.getSession({ sessionId }))).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });
});
