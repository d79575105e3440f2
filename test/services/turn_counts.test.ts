import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Session } from '../../gen/parley/v1/session_service_pb.ts';
import { TtlPolicy } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { getSession, numbers, say, sessionWith } from './turns.ts';

const parley = useParley();

function micros(time: { seconds: bigint; nanos: number } | undefined): number {
  return Number(time!.seconds) * 1e6 + time!.nanos / 1e3;
}

/** The session as every RPC tells it that does not change it. */
async function views({ namespace, sessionId }: Session): Promise<Session[]> {
  const ask = { namespace, sessionId };
  const unchanged = await parley.sessions.updateSession({ ...ask, session: { displayName: 'same' } });
  return [
    (await parley.sessions.getSession(ask)).session!,
    ...(await parley.sessions.batchGetSessions({ namespace, sessionIds: [sessionId] })).sessions,
    ...(await parley.sessions.listSessions({ namespace })).sessions,
    (await parley.sessions.createSession({ ...ask, allowExisting: true })).session!,
    unchanged.session!,
  ];
}

/** What they all say. */
async function agreed(session: Session): Promise<Session> {
  const [first, ...others] = await views(session);
  expect(others).toHaveLength(4);
  for (const other of others) expect(other).toEqual(first);
  return first!;
}

async function alone(): Promise<Session> {
  const session = { displayName: 'same', ttl: { seconds: 3600n }, ttlPolicy: TtlPolicy.SLIDING };
  return (await parley.sessions.createSession({ namespace: newId(), sessionId: newId(), session })).session!;
}

describe('turn_count, last_turn_seq, update_time and a SLIDING expire_time', () => {
  it('move with every change of the log, everywhere at once, and the etag does not', async () => {
    const session = await alone();
    const ask = { namespace: session.namespace, sessionId: session.sessionId };
    const append = (...lines: number[]) =>
      parley.chat.appendTurns({ ...ask, messages: lines.map((line) => ({ content: String(line) })) });
    const steps: [() => Promise<unknown>, turnCount: number, lastTurnSeq: number][] = [
      [() => append(1), 1, 1],
      [() => append(2, 3, 4, 5), 5, 5],
      [() => parley.chat.rewindHistory({ ...ask, toSeq: 2 }), 2, 2],
      [() => append(6), 3, 6],
      [() => parley.chat.rewindHistory({ ...ask, toSeq: 4 }), 2, 2],
      [() => append(7, 8), 4, 8],
      [() => parley.chat.clearHistory(ask), 0, 0],
      [() => append(9), 1, 9],
    ];
    let before = await agreed(session);
    expect(before).toMatchObject({ turnCount: 0, lastTurnSeq: 0 });
    for (const [step, turnCount, lastTurnSeq] of steps) {
      await step();
      const after = await agreed(session);
      expect(after).toMatchObject({ turnCount, lastTurnSeq });
      expect(micros(after.updateTime)).toBeGreaterThan(micros(before.updateTime));
      expect(micros(after.expireTime) - micros(after.updateTime)).toBeCloseTo(3600e6, -4);
      const { updateTime, expireTime } = after;
      expect(after).toEqual({ ...before, turnCount, lastTurnSeq, updateTime, expireTime });
      before = after;
    }
  });

  it('stay when the log does', async () => {
    const session = await alone();
    const ask = { namespace: session.namespace, sessionId: session.sessionId };
    await parley.chat.clearHistory(ask);
    await parley.chat.rewindHistory({ ...ask, toSeq: 0 });
    expect(await agreed(session)).toEqual(session);
    await parley.chat.appendTurns({ ...ask, messages: [{ content: 'x' }] });
    const before = await agreed(session);
    await parley.chat.rewindHistory({ ...ask, toSeq: 1 });
    await parley.chat.rewindHistory({ ...ask, toSeq: 7 });
    await parley.chat.listTurns(ask);
    expect(await agreed(session)).toEqual(before);
  });

  it('are told by whatever answers with the session', async () => {
    const session = await alone();
    const ask = { namespace: session.namespace, sessionId: session.sessionId };
    await parley.chat.appendTurns({ ...ask, messages: [{ content: 'a' }, { content: 'b' }] });
    const answers = [
      await parley.sessions.updateSession({ ...ask, dataPatch: { a: 1 } }),
      await parley.sessions.deleteSession(ask),
      await parley.sessions.undeleteSession(ask),
      await parley.sessions.deleteSession({ ...ask, permanent: true }),
    ];
    for (const answer of answers) expect(answer.session).toMatchObject({ turnCount: 2, lastTurnSeq: 2 });
  });
});

describe('update_time', () => {
  it('is the later of the last turn and the last change, in any order', async () => {
    const sessionId = await sessionWith(parley, 0);
    let last = await getSession(parley, sessionId);
    for (const n of numbers(1, 6)) {
      for (const write of [
        () => say(parley, sessionId, n),
        () => parley.sessions.updateSession({ sessionId, dataPatch: { n } }),
        () => parley.configs.patchConfigs({ sessionId, configs: { n } }),
      ]) {
        await write();
        const next = await getSession(parley, sessionId);
        expect(micros(next.updateTime)).toBeGreaterThan(micros(last.updateTime));
        last = next;
      }
    }
  });

  it('is never before the newest turn', async () => {
    const sessionId = await sessionWith(parley, 0);
    const { turns } = await say(parley, sessionId, 'x');
    const { updateTime } = await getSession(parley, sessionId);
    expect(micros(updateTime)).toBeGreaterThanOrEqual(micros(turns[0]!.createTime));
  });

  it('orders a list, where what is a second apart is never mistaken', async () => {
    const namespace = newId();
    for (const sessionId of ['a', 'b', 'c']) await parley.sessions.createSession({ namespace, sessionId });
    const ids = async (orderBy: string) =>
      (await parley.sessions.listSessions({ namespace, orderBy })).sessions.map(({ sessionId }) => sessionId);
    await setTimeout(1100);
    await parley.chat.appendTurns({ namespace, sessionId: 'a', messages: [{ content: 'x' }] });
    expect(await ids('update_time')).toEqual(['a', 'c', 'b']);
    await setTimeout(1100);
    await parley.chat.appendTurns({ namespace, sessionId: 'b', messages: [{ content: 'x' }] });
    expect(await ids('update_time asc')).toEqual(['c', 'a', 'b']);
    await setTimeout(1100);
    await parley.chat.clearHistory({ namespace, sessionId: 'a' });
    expect(await ids('update_time')).toEqual(['a', 'b', 'c']);
    expect(await ids('create_time')).toEqual(['c', 'b', 'a']);
  });
});

it('an etag read before many turns is as good as new', async () => {
  const sessionId = await sessionWith(parley, 0);
  const { etag } = await getSession(parley, sessionId);
  await say(parley, sessionId, 1, 2, 3);
  await parley.chat.rewindHistory({ sessionId, toSeq: 1 });
  await parley.chat.clearHistory({ sessionId });
  await parley.sessions.updateSession({ sessionId, etag, dataPatch: { a: 1 } });
});

it('nobody’s append loses a change of the session, nor the other way round', async () => {
  const sessionId = await sessionWith(parley, 0);
  const patch = (n: number) => parley.sessions.updateSession({ sessionId, dataPatch: { [`k${n}`]: n } });
  await Promise.all(numbers(1, 40).flatMap((n) => [say(parley, sessionId, n), patch(n)]));
  const session = await getSession(parley, sessionId);
  expect(session).toMatchObject({ turnCount: 40, lastTurnSeq: 40 });
  expect(Object.keys(session.data!)).toHaveLength(40);
});
