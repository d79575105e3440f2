import { describe, expect, it, vi } from 'vitest';
import { TtlPolicy } from '../../gen/parley/v1/session_service_pb.ts';
import { useEndpoint } from './answers.ts';
import { everyTurn, insightsOf, integrated, sessionOf } from './insights.ts';
import { keysOf } from './keys_of.ts';
import { getSession, say } from './turns.ts';

const { parley, endpoint } = useEndpoint();

async function taught(): Promise<string> {
  const sessionId = await sessionOf(parley, 1, 'bot');
  endpoint.answers(everyTurn);
  await integrated(parley, { sessionId, requestId: 'r' });
  expect((await keysOf(parley, sessionId)).some((key) => key.includes(':insights:'))).toBe(true);
  return sessionId;
}

async function nothingLeft(sessionId: string): Promise<void> {
  await vi.waitFor(async () => expect(await keysOf(parley, sessionId)).toEqual([]), { timeout: 5000 });
}

function ttl(sessionId: string, milliseconds: number, ttlPolicy: TtlPolicy) {
  const created = { seconds: BigInt(Math.floor(milliseconds / 1000)), nanos: (milliseconds % 1000) * 1e6 };
  return parley.sessions.updateSession({ sessionId, session: { ttl: created, ttlPolicy } });
}

describe('what was learnt', () => {
  it('is gone with a session that is purged', async () => {
    const sessionId = await taught();
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    expect((await keysOf(parley, sessionId)).filter((key) => !key.includes(':ops:'))).toEqual([]);
  });

  it('is gone with a session whose time has come', async () => {
    const sessionId = await taught();
    await ttl(sessionId, 500, TtlPolicy.SLIDING);
    await nothingLeft(sessionId);
  });

  it('is gone with it also when it was learnt after the time was set', async () => {
    const sessionId = await sessionOf(parley, 1, 'bot');
    await ttl(sessionId, 1500, TtlPolicy.SLIDING);
    endpoint.answers(everyTurn);
    await integrated(parley, { sessionId, requestId: 'r' });
    expect(await insightsOf(parley, sessionId)).toHaveLength(1);
    await nothingLeft(sessionId);
  });

  it('lets a sliding session live on, and is a change of it', async () => {
    const sessionId = await sessionOf(parley, 1, 'bot');
    await ttl(sessionId, 3_600_000, TtlPolicy.SLIDING);
    const before = await getSession(parley, sessionId);
    endpoint.answers(everyTurn);
    await integrated(parley, { sessionId });
    const after = await getSession(parley, sessionId);
    const micros = ({ seconds, nanos }: { seconds: bigint; nanos: number }) =>
      Number(seconds) * 1e6 + nanos / 1e3;
    expect(micros(after.updateTime!)).toBeGreaterThan(micros(before.updateTime!));
    expect(micros(after.expireTime!) - micros(after.updateTime!)).toBe(3_600_000_000);
    expect(after.etag).toBe(before.etag);
  });

  it('is gone from a truncated session, key and all', async () => {
    const sessionId = await taught();
    await parley.sessions.truncateSession({ sessionId });
    expect((await keysOf(parley, sessionId)).filter((key) => key.includes(':insights:'))).toEqual([]);
    await say(parley, sessionId, 'x');
  });
});
