import { describe, expect, it } from 'vitest';
import { Role } from '../../gen/parley/v1/content_pb.ts';
import { ContextOverflow, ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { followed, getSession, say, seqs, seqsOf, sessionWith, turnsOf } from './turns.ts';

const parley = useParley();

/** All a caller can set; one participant left again. */
async function used(): Promise<string> {
  const session = {
    displayName: 'Old',
    situation: 'here',
    renderTemplates: true,
    metadata: { m: 1 },
    configs: { c: 1 },
    data: { d: 1 },
    contextOverflow: ContextOverflow.TRUNCATE,
    tokenBudget: 99,
    ttl: { seconds: 3600n },
    participants: [
      { participantId: 'ann', kind: ParticipantKind.USER, displayName: 'Ann', settings: { s: 1 } },
      { participantId: 'bot', kind: ParticipantKind.AGENT, instructions: 'Be kind.' },
      { participantId: 'ben', kind: ParticipantKind.USER },
    ],
  };
  const sessionId = await sessionWith(parley, 0, session);
  const messages = [Role.USER, Role.ASSISTANT, Role.USER].map((role) => ({ role, content: 'x' }));
  await parley.chat.appendTurns({
    sessionId,
    messages: [...messages, { participantId: 'ann', content: 'x' }, { participantId: 'ben', content: 'x' }],
  });
  await parley.sessions.unbindParticipant({ sessionId, participantId: 'ben' });
  await parley.configs.patchConfigs({ sessionId, configs: { c: 2 } });
  return sessionId;
}

describe('TruncateSession', () => {
  it('takes data, turns and their counts away, and leaves the rest as it was', async () => {
    const sessionId = await used();
    const before = await getSession(parley, sessionId);
    const rows = await parley.sessions.listParticipants({ sessionId, includeUnbound: true });
    expect(rows.participants.map(({ turnCount }) => turnCount)).toEqual([1, 1, 1]);
    const { session } = await parley.sessions.truncateSession({ sessionId });
    const emptied = (row: object) => ({ ...row, turnCount: 0 });
    expect(session).toEqual({
      ...before,
      data: {},
      turnCount: 0,
      lastTurnSeq: 0,
      participants: before.participants.map(emptied),
      etag: session!.etag,
      updateTime: session!.updateTime,
    });
    expect(session!.etag).not.toBe(before.etag);
    expect(session!.updateTime).not.toEqual(before.updateTime);
    expect(await getSession(parley, sessionId)).toEqual(session);
    const after = await parley.sessions.listParticipants({ sessionId, includeUnbound: true });
    expect(after.participants).toEqual(rows.participants.map(emptied));
    expect(await turnsOf(parley, sessionId)).toEqual([]);
  });

  it('leaves the configs with their etag and their revisions', async () => {
    const sessionId = await used();
    const before = await parley.configs.getConfigs({ sessionId });
    const revisions = await parley.configs.listConfigsRevisions({ sessionId });
    await parley.sessions.truncateSession({ sessionId });
    expect(await parley.configs.getConfigs({ sessionId })).toEqual(before);
    expect(await parley.configs.listConfigsRevisions({ sessionId })).toEqual(revisions);
  });

  it('lets numbering go on', async () => {
    const sessionId = await used();
    await parley.sessions.truncateSession({ sessionId });
    const call = parley.chat.appendTurns({ sessionId, expectedLastSeq: 5, messages: [{ content: 'x' }] });
    expect(await refusal(call)).toBe('ABORTED LAST_SEQ_MISMATCH');
    expect(seqs((await say(parley, sessionId, 'x')).turns)).toEqual([6]);
    expect(await seqsOf(parley, sessionId)).toEqual([6]);
    const { participants } = await getSession(parley, sessionId);
    expect(participants.map(({ turnCount }) => turnCount)).toEqual([1, 0]);
  });

  it('of a session without data removes its turns, and of one without turns its data', async () => {
    const talked = await sessionWith(parley, 3);
    await parley.sessions.truncateSession({ sessionId: talked });
    expect(await seqsOf(parley, talked)).toEqual([]);
    const silent = await sessionWith(parley, 0, { data: { d: 1 } });
    expect((await parley.sessions.truncateSession({ sessionId: silent })).session).toMatchObject({
      data: {},
    });
    expect(await followed(parley, { sessionId: silent })).toEqual(['caught up']);
    expect(seqs((await say(parley, silent, 'x')).turns)).toEqual([1]);
  });

  it('takes an etag, and with a stale one changes nothing', async () => {
    const sessionId = await used();
    const before = await getSession(parley, sessionId);
    const stale = parley.sessions.truncateSession({ sessionId, etag: `${before.etag}x` });
    expect(await refusal(stale)).toBe('ABORTED ETAG_MISMATCH');
    expect(await getSession(parley, sessionId)).toEqual(before);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3, 4, 5]);
    const { session } = await parley.sessions.truncateSession({ sessionId, etag: before.etag });
    expect(session).toMatchObject({ data: {}, turnCount: 0 });
  });

  it('is one step: nobody sees data without turns, or turns without data', async () => {
    const sessionId = await sessionWith(parley, 0);
    let done = false;
    const watch = async () => {
      while (!done) {
        const { data, turnCount } = await getSession(parley, sessionId);
        expect([Object.keys(data!).length > 0, turnCount]).not.toEqual([false, 2]);
      }
    };
    const watching = watch();
    for (let n = 0; n < 20; n++) {
      await parley.sessions.updateSession({ sessionId, dataPatch: { n } });
      await say(parley, sessionId, 'a', 'b');
      await parley.sessions.truncateSession({ sessionId });
    }
    done = true;
    await watching;
  });

  it('of an absent session is NOT_FOUND', async () => {
    const call = parley.sessions.truncateSession({ sessionId: newId() });
    expect(await refusal(call)).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });
});
