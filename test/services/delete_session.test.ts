import { describe, expect, it } from 'vitest';
import { ParticipantKind, type Session } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';

const parley = useParley();
const THIRTY_DAYS = 30n * 24n * 60n * 60n;

async function created(): Promise<Session> {
  const session = { configs: { a: 1 }, metadata: { m: 1 }, userId: 'ann' };
  return (await parley.sessions.createSession({ session })).session!;
}

async function deleted(): Promise<string> {
  const { sessionId } = await created();
  await parley.sessions.deleteSession({ sessionId });
  return sessionId;
}

describe('a deleted session', () => {
  it('is given back as it was deleted, to be purged after the retention', async () => {
    const session = await created();
    const answer = await parley.sessions.deleteSession({ sessionId: session.sessionId });
    const { deleteTime, purgeTime, etag, updateTime, ...same } = answer.session!;
    expect(session).toMatchObject(same);
    expect(purgeTime!.seconds - deleteTime!.seconds).toBe(THIRTY_DAYS);
    expect(etag).not.toBe(session.etag);
  });

  it.each([
    ['GetSession', (sessionId: string) => parley.sessions.getSession({ sessionId })],
    ['ListParticipants', (sessionId: string) => parley.sessions.listParticipants({ sessionId })],
    ['GetConfigs', (sessionId: string) => parley.configs.getConfigs({ sessionId })],
    ['ListConfigsRevisions', (sessionId: string) => parley.configs.listConfigsRevisions({ sessionId })],
    ['ListTurns', (sessionId: string) => parley.chat.listTurns({ sessionId })],
    ['FollowTurns', (sessionId: string) => Array.fromAsync(parley.chat.followTurns({ sessionId }))],
    ['DeleteSession', (sessionId: string) => parley.sessions.deleteSession({ sessionId })],
  ])('is NOT_FOUND to %s', async (_, call) => {
    expect(await refusal(call(await deleted()))).toBe('NOT_FOUND SESSION_DELETED');
  });

  it.each([
    ['UpdateSession', (sessionId: string) => parley.sessions.updateSession({ sessionId })],
    [
      'BindParticipant',
      (sessionId: string) =>
        parley.sessions.bindParticipant({
          sessionId,
          participant: { participantId: 'x', kind: ParticipantKind.USER },
        }),
    ],
    [
      'UnbindParticipant',
      (sessionId: string) => parley.sessions.unbindParticipant({ sessionId, participantId: 'ann' }),
    ],
    ['UpdateConfigs', (sessionId: string) => parley.configs.updateConfigs({ sessionId, configs: {} })],
    ['PatchConfigs', (sessionId: string) => parley.configs.patchConfigs({ sessionId, configs: {} })],
    ['DeleteConfigs', (sessionId: string) => parley.configs.deleteConfigs({ sessionId })],
    ['RollbackConfigs', (sessionId: string) => parley.configs.rollbackConfigs({ sessionId, revision: 1 })],
    ['TruncateSession', (sessionId: string) => parley.sessions.truncateSession({ sessionId })],
    ['ForkSession', (sessionId: string) => parley.sessions.forkSession({ sessionId })],
    [
      'AppendTurns',
      (sessionId: string) => parley.chat.appendTurns({ sessionId, messages: [{ content: 'x' }] }),
    ],
    ['ClearHistory', (sessionId: string) => parley.chat.clearHistory({ sessionId })],
    ['RewindHistory', (sessionId: string) => parley.chat.rewindHistory({ sessionId, toSeq: 1 })],
    [
      'CreateSession with allow_existing',
      (sessionId: string) => parley.sessions.createSession({ sessionId, allowExisting: true }),
    ],
  ])('refuses %s with FAILED_PRECONDITION', async (_, call) => {
    expect(await refusal(call(await deleted()))).toBe('FAILED_PRECONDITION SESSION_DELETED');
  });

  it('keeps its id taken', async () => {
    const sessionId = await deleted();
    const call = parley.sessions.createSession({ sessionId });
    expect(await refusal(call)).toBe('ALREADY_EXISTS SESSION_ALREADY_EXISTS');
  });

  it('can be purged without allow_missing, and then its id is free', async () => {
    const sessionId = await deleted();
    const { session } = await parley.sessions.deleteSession({ sessionId, permanent: true });
    expect(session).toMatchObject({ sessionId, configs: { a: 1 } });
    expect(await refusal(parley.sessions.getSession({ sessionId, includeDeleted: true }))).toBe(
      'NOT_FOUND SESSION_NOT_FOUND',
    );
    expect((await parley.sessions.createSession({ sessionId })).session!.configsRevision).toBe(0);
  });
});

describe('allow_missing', () => {
  it('answers without a session where there is none', async () => {
    const ask = { sessionId: newId(), allowMissing: true };
    expect((await parley.sessions.deleteSession(ask)).session).toBeUndefined();
    expect((await parley.sessions.deleteSession({ ...ask, permanent: true })).session).toBeUndefined();
  });

  it('answers with the session where it is deleted already, and changes nothing', async () => {
    const { sessionId } = await created();
    const { session } = await parley.sessions.deleteSession({ sessionId });
    expect((await parley.sessions.deleteSession({ sessionId, allowMissing: true })).session).toEqual(session);
  });

  it('is needed to delete what is absent', async () => {
    for (const permanent of [false, true]) {
      const call = parley.sessions.deleteSession({ sessionId: newId(), permanent });
      expect(await refusal(call)).toBe('NOT_FOUND SESSION_NOT_FOUND');
    }
  });
});

describe('UndeleteSession', () => {
  it('brings back everything as it was, but for etag and update_time', async () => {
    const session = await created();
    const { sessionId } = session;
    await parley.sessions.unbindParticipant({ sessionId, participantId: 'ann' });
    await parley.configs.patchConfigs({ sessionId, configs: { b: 2 } });
    const before = (await parley.sessions.getSession({ sessionId })).session!;
    const rows = await parley.sessions.listParticipants({ sessionId, includeUnbound: true });
    const history = await parley.configs.listConfigsRevisions({ sessionId });
    await parley.sessions.deleteSession({ sessionId });
    const back = (await parley.sessions.undeleteSession({ sessionId })).session!;
    expect(back).toEqual({ ...before, etag: back.etag, updateTime: back.updateTime });
    expect((await parley.sessions.getSession({ sessionId })).session).toEqual(back);
    expect(await parley.sessions.listParticipants({ sessionId, includeUnbound: true })).toEqual(rows);
    expect(await parley.configs.listConfigsRevisions({ sessionId })).toEqual(history);
  });

  it('is ALREADY_EXISTS on a live session and NOT_FOUND on an absent one', async () => {
    const { sessionId } = await created();
    expect(await refusal(parley.sessions.undeleteSession({ sessionId }))).toBe(
      'ALREADY_EXISTS SESSION_ALREADY_EXISTS',
    );
    expect(await refusal(parley.sessions.undeleteSession({ sessionId: newId() }))).toBe(
      'NOT_FOUND SESSION_NOT_FOUND',
    );
  });

  it('lets the session live on past the time it would have been purged', async () => {
    const { sessionId } = await created();
    await parley.sessions.deleteSession({ sessionId });
    const { session } = await parley.sessions.undeleteSession({ sessionId });
    expect([session!.deleteTime, session!.purgeTime]).toEqual([undefined, undefined]);
  });
});
