import { describe, expect, it, vi } from 'vitest';
import { type Session, TtlPolicy } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { failure, refusal, summary } from '../refusal.ts';

const parley = useParley();
const { FIXED, SLIDING } = TtlPolicy;

function span(milliseconds: number) {
  return { seconds: BigInt(Math.floor(milliseconds / 1000)), nanos: (milliseconds % 1000) * 1e6 };
}

function millis(time: { seconds: bigint; nanos: number } | undefined): number {
  return Number(time!.seconds) * 1000 + time!.nanos / 1e6;
}

function until(session: Session): number {
  return millis(session.expireTime) - millis(session.createTime);
}

async function expired(sessionId: string): Promise<void> {
  const read = () => refusal(parley.sessions.getSession({ sessionId, includeDeleted: true }));
  await vi.waitFor(async () => expect(await read()).toBe('NOT_FOUND SESSION_NOT_FOUND'), { timeout: 5000 });
}

describe('expire_time', () => {
  it('FIXED counts from creation and stays where it is', async () => {
    const sessionId = newId();
    const { session } = await parley.sessions.createSession({ sessionId, session: { ttl: span(3_600_000) } });
    expect(session!.ttlPolicy).toBe(FIXED);
    expect(until(session!)).toBe(3_600_000);
    const later = await parley.sessions.updateSession({ sessionId, session: { displayName: 'x' } });
    expect(later.session!.expireTime).toEqual(session!.expireTime);
  });

  it.each([
    [
      'UpdateSession',
      (sessionId: string) => parley.sessions.updateSession({ sessionId, dataPatch: { a: 1 } }),
    ],
    ['PatchConfigs', (sessionId: string) => parley.configs.patchConfigs({ sessionId, configs: { a: 1 } })],
  ])('SLIDING moves on with a write: %s', async (_, write) => {
    const sessionId = newId();
    const session = { ttl: span(3_600_000), ttlPolicy: SLIDING };
    const before = (await parley.sessions.createSession({ sessionId, session })).session!;
    await write(sessionId);
    const after = (await parley.sessions.getSession({ sessionId })).session!;
    expect(millis(after.expireTime)).toBeGreaterThan(millis(before.expireTime));
    expect(millis(after.expireTime) - millis(after.updateTime)).toBeCloseTo(3_600_000, 2);
  });

  it('SLIDING stays where it is when somebody reads', async () => {
    const session = { ttl: span(3_600_000), ttlPolicy: SLIDING };
    const before = (await parley.sessions.createSession({ session })).session!;
    await parley.sessions.getSession({ sessionId: before.sessionId });
    expect((await parley.sessions.getSession({ sessionId: before.sessionId })).session).toEqual(before);
  });

  it('goes with the ttl', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId, session: { ttl: span(300) } });
    const { session } = await parley.sessions.updateSession({ sessionId, updateMask: { paths: ['ttl'] } });
    expect([session!.ttl, session!.expireTime]).toEqual([undefined, undefined]);
    const witness = newId();
    await parley.sessions.createSession({ sessionId: witness, session: { ttl: span(300) } });
    await expired(witness);
    await parley.sessions.getSession({ sessionId });
  });
});

describe('an expired session', () => {
  it('is as if it had never been: not read, not written, not listed, and its id free', async () => {
    const namespace = newId();
    const ask = { namespace, sessionId: newId() };
    await parley.sessions.createSession({
      ...ask,
      requestId: 'r',
      session: { ttl: span(200), configs: { a: 1 } },
    });
    await parley.configs.patchConfigs({ ...ask, configs: { b: 2 } });
    await vi.waitFor(
      async () => expect(await refusal(parley.sessions.getSession(ask))).toBe('NOT_FOUND SESSION_NOT_FOUND'),
      { timeout: 5000 },
    );
    expect(await refusal(parley.sessions.updateSession({ ...ask, dataPatch: { a: 1 } }))).toMatch(
      'SESSION_NOT_FOUND',
    );
    expect(await refusal(parley.sessions.undeleteSession(ask))).toMatch('SESSION_NOT_FOUND');
    expect(await refusal(parley.configs.getConfigs(ask))).toMatch('SESSION_NOT_FOUND');
    const listed = await parley.sessions.listSessions({ namespace, includeDeleted: true });
    expect(listed.sessions).toEqual([]);
    const anew = await parley.sessions.createSession({
      ...ask,
      requestId: 'r',
      session: { configs: { c: 3 } },
    });
    expect(anew).toMatchObject({ created: true, session: { configsRevision: 1 } });
    expect((await parley.configs.listConfigsRevisions(ask)).revisions).toHaveLength(1);
  });

  it('expires though it is deleted, and though it was written to when FIXED', async () => {
    const [one, two] = [newId(), newId()];
    for (const sessionId of [one, two])
      await parley.sessions.createSession({ sessionId, session: { ttl: span(300) } });
    await parley.sessions.deleteSession({ sessionId: one });
    await parley.sessions.updateSession({ sessionId: two, dataPatch: { a: 1 } });
    await Promise.all([one, two].map(expired));
  });

  it('ends the streams of those who watch it', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId, session: { ttl: span(300) } });
    const events = parley.configs.watchConfigs({ sessionId })[Symbol.asyncIterator]();
    await events.next();
    expect(summary(await failure(events.next()))).toBe('NOT_FOUND SESSION_DELETED');
  });

  it('that SLIDING kept alive lives past its first time', async () => {
    const session = { ttl: span(1200), ttlPolicy: SLIDING };
    const sessionId = newId();
    const first = (await parley.sessions.createSession({ sessionId, session })).session!;
    let writes = 0;
    while (Date.now() <= millis(first.expireTime)) {
      await parley.sessions.updateSession({ sessionId, dataPatch: { writes: ++writes } });
    }
    expect((await parley.sessions.getSession({ sessionId })).session!.data).toEqual({ writes });
    await expired(sessionId);
  });
});

describe('a ttl', () => {
  it.each([
    ['zero', { seconds: 0n, nanos: 0 }],
    ['negative', { seconds: -1n, nanos: 0 }],
    ['more than a century', { seconds: 3_153_600_001n, nanos: 0 }],
  ])('that is %s is refused', async (_, ttl) => {
    const call = parley.sessions.createSession({ session: { ttl } });
    expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID session.ttl');
  });

  it('is rounded up to whole milliseconds', async () => {
    const ttl = { seconds: 60n, nanos: 1 };
    const { session } = await parley.sessions.createSession({ session: { ttl } });
    expect(session!.ttl).toMatchObject({ seconds: 60n, nanos: 1_000_000 });
  });

  it('of a century is kept', async () => {
    const { session } = await parley.sessions.createSession({
      session: { ttl: { seconds: 3_153_600_000n } },
    });
    await parley.sessions.getSession({ sessionId: session!.sessionId });
  });
});
