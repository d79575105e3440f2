import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TtlPolicy } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, type Parley, startParley, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { keysOf } from './keys_of.ts';
import { followed, getSession, say, seqsOf, sessionWith } from './turns.ts';

const parley = useParley();
const { SLIDING } = TtlPolicy;

function span(milliseconds: number) {
  return { seconds: BigInt(Math.floor(milliseconds / 1000)), nanos: (milliseconds % 1000) * 1e6 };
}

async function gone(sessionId: string): Promise<void> {
  const read = () => refusal(parley.sessions.getSession({ sessionId, includeDeleted: true }));
  await vi.waitFor(async () => expect(await read()).toBe('NOT_FOUND SESSION_NOT_FOUND'), { timeout: 5000 });
}

async function nothingLeft(server: Parley, sessionId: string): Promise<void> {
  await vi.waitFor(async () => expect(await keysOf(server, sessionId)).toEqual([]), { timeout: 5000 });
}

describe('the turns of an expired session', () => {
  it('are gone with it, and not found by the next session of that id', async () => {
    const sessionId = await sessionWith(parley, 5, { ttl: span(400), userId: 'ann' });
    await gone(sessionId);
    expect(await refusal(say(parley, sessionId, 'x'))).toBe('NOT_FOUND SESSION_NOT_FOUND');
    expect(await refusal(parley.chat.listTurns({ sessionId }))).toBe('NOT_FOUND SESSION_NOT_FOUND');
    expect(await refusal(followed(parley, { sessionId }))).toBe('NOT_FOUND SESSION_NOT_FOUND');
    const { session } = await parley.sessions.createSession({ sessionId, session: { userId: 'ann' } });
    expect(session).toMatchObject({ turnCount: 0, lastTurnSeq: 0, participants: [{ turnCount: 0 }] });
    expect(await followed(parley, { sessionId })).toEqual(['caught up']);
    expect((await say(parley, sessionId, 'x')).turns[0]!.seq).toBe(1);
    expect(await seqsOf(parley, sessionId)).toEqual([1]);
  });

  it('leave nothing in Redis', async () => {
    const sessionId = await sessionWith(parley, 5, { ttl: span(300) });
    expect(await keysOf(parley, sessionId)).not.toEqual([]);
    await parley.chat.rewindHistory({ sessionId, toSeq: 3 });
    await nothingLeft(parley, sessionId);
  });

  it('go though the ttl was set after they were said', async () => {
    const sessionId = await sessionWith(parley, 5);
    await parley.sessions.updateSession({ sessionId, session: { ttl: span(700), ttlPolicy: SLIDING } });
    await gone(sessionId);
    await nothingLeft(parley, sessionId);
    await parley.sessions.createSession({ sessionId });
    expect(await seqsOf(parley, sessionId)).toEqual([]);
  });
});

describe('the turns of a fork', () => {
  it('are gone with it, and those of its source with that', async () => {
    const source = await sessionWith(parley, 3, { ttl: span(1500) });
    await sleep(1000);
    const { session } = await parley.sessions.forkSession({ sessionId: source });
    const { sessionId } = session!;
    await nothingLeft(parley, source);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3]);
    await gone(sessionId);
    await nothingLeft(parley, sessionId);
  });
});

describe('the turns of a session', () => {
  it('that SLIDING keeps alive by what is said live past its first time', async () => {
    const sessionId = await sessionWith(parley, 1, { ttl: span(900), ttlPolicy: SLIDING });
    for (let n = 2; n <= 6; n++) {
      await sleep(300);
      await say(parley, sessionId, n);
    }
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3, 4, 5, 6]);
    await gone(sessionId);
    await nothingLeft(parley, sessionId);
  });

  it('that SLIDING keeps alive by other writes live past its first time', async () => {
    const sessionId = await sessionWith(parley, 3, { ttl: span(900), ttlPolicy: SLIDING });
    for (let n = 1; n <= 5; n++) {
      await sleep(300);
      await parley.sessions.updateSession({ sessionId, dataPatch: { n } });
    }
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3]);
  });

  it('that SLIDING keeps alive by clearing it live past its first time', async () => {
    const sessionId = await sessionWith(parley, 6, { ttl: span(900), ttlPolicy: SLIDING });
    for (const toSeq of [5, 4, 3, 2]) {
      await sleep(300);
      await parley.chat.rewindHistory({ sessionId, toSeq });
    }
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2]);
    await getSession(parley, sessionId);
  });

  it('stay when a SLIDING ttl is taken away, also after more was said', async () => {
    const sessionId = await sessionWith(parley, 2, { ttl: span(500), ttlPolicy: SLIDING });
    const witness = await sessionWith(parley, 2, { ttl: span(500), ttlPolicy: SLIDING });
    await parley.sessions.updateSession({ sessionId, updateMask: { paths: ['ttl'] } });
    for (const id of [sessionId, witness]) await say(parley, id, 3);
    await nothingLeft(parley, witness);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3]);
  });

  it('stay when its ttl is taken away', async () => {
    const sessionId = await sessionWith(parley, 3, { ttl: span(500) });
    const witness = await sessionWith(parley, 3, { ttl: span(600) });
    await parley.sessions.updateSession({ sessionId, updateMask: { paths: ['ttl'] } });
    await nothingLeft(parley, witness);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3]);
    expect((await say(parley, sessionId, 'x')).turns[0]!.seq).toBe(4);
  });
});

describe('the turns of a deleted session', () => {
  it('are back as they were when it is undeleted', async () => {
    const sessionId = await sessionWith(parley, 5);
    await parley.chat.rewindHistory({ sessionId, toSeq: 3 });
    const { cursor } = await say(parley, sessionId, 6);
    const before = await parley.chat.listTurns({ sessionId });
    await parley.sessions.deleteSession({ sessionId });
    await parley.sessions.undeleteSession({ sessionId });
    expect(await parley.chat.listTurns({ sessionId })).toEqual(before);
    expect((await say(parley, sessionId, 7)).turns[0]!.seq).toBe(7);
    expect(await followed(parley, { sessionId, from: { case: 'cursor', value: cursor } })).toEqual([
      'turn 7',
      'caught up',
    ]);
  });

  it('are purged with it at once when it is deleted permanently', async () => {
    const sessionId = await sessionWith(parley, 5);
    await say(parley, sessionId, 'x');
    await parley.chat.clearHistory({ sessionId });
    await say(parley, sessionId, 'y');
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    expect(await keysOf(parley, sessionId)).toEqual([]);
    await parley.sessions.createSession({ sessionId });
    expect(await seqsOf(parley, sessionId)).toEqual([]);
    expect((await say(parley, sessionId, 'z')).turns[0]!.seq).toBe(1);
  });

  describe('after the retention', () => {
    let forgetful: Parley;
    beforeAll(async () => {
      forgetful = await startParley({ PARLEY_DELETED_RETENTION: '400ms' });
    });
    afterAll(() => forgetful.stop());

    it('are purged with it', async () => {
      const sessionId = await sessionWith(forgetful, 5);
      await forgetful.sessions.deleteSession({ sessionId });
      await nothingLeft(forgetful, sessionId);
      await forgetful.sessions.createSession({ sessionId });
      expect(await seqsOf(forgetful, sessionId)).toEqual([]);
    });

    it('are kept when it was undeleted before', async () => {
      const sessionId = await sessionWith(forgetful, 5);
      const witness = newId();
      await forgetful.sessions.createSession({ sessionId: witness });
      await forgetful.sessions.deleteSession({ sessionId });
      await forgetful.sessions.undeleteSession({ sessionId });
      await forgetful.sessions.deleteSession({ sessionId: witness });
      await nothingLeft(forgetful, witness);
      expect(await seqsOf(forgetful, sessionId)).toEqual([1, 2, 3, 4, 5]);
    });
  });
});
