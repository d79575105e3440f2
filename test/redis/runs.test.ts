import { beforeAll, expect, it } from 'vitest';
import { RedisDoorbell } from '../../src/redis/doorbell.ts';
import { RedisRuns } from '../../src/redis/runs.ts';
import { runEncoder } from '../../src/services/run_encoder.ts';
import { newId } from '../harness.ts';
import { logOver, storeOver, useRedis } from '../redis_fixture.ts';
import { aCaller, aSession } from '../session_fixture.ts';

const redis = useRedis();
let runs: RedisRuns;
beforeAll(() => {
  runs = new RedisRuns(redis.connection, redis.keys, new RedisDoorbell(redis.connection, redis.keys), 10_000);
});

it('a run does not end before events that came late, and loses nothing by being told so', async () => {
  const session = aSession();
  await storeOver(redis.connection, redis.keys).mutate(session, aCaller(), () => ({
    write: session,
    answer: null,
  }));
  const runId = newId();
  const start = { runId, model: 'm', participantId: '', turns: [], lastTurnSeq: 0, first: false };
  const started = runEncoder.started(runId, 'm', '');
  const outcome = await runs.start(session, { ...start, started, ticket: undefined }, aCaller());
  if (outcome.kind !== 'started') throw new Error(outcome.kind);
  const { hold } = outcome;
  const said = runEncoder.delta(runId, 2, { kind: 'text', text: 'late' });
  expect(await runs.write(session, hold, 2, [said])).toBe(true);

  const turn = runEncoder.turn({
    runId,
    participantId: '',
    model: 'm',
    parts: [{ kind: 'text', text: 'late' }],
    tokenCount: 1,
    usage: undefined,
    finishReason: 'STOP',
    status: 'COMPLETE',
  });
  const endAt = (offset: number) => ({
    status: 'COMPLETED' as const,
    offset,
    event: runEncoder.completed(runId, offset, undefined, 'STOP'),
    error: new Uint8Array(),
    turn,
  });
  const log = logOver(redis.connection, redis.keys);
  const range = { direction: 'FORWARD' as const, afterSeq: 0, count: 10, bytes: 1000 };
  expect(await runs.finish(session, hold, endAt(2))).toEqual({ lastOffset: 2 });
  expect((await log.read(session, range))!.state).toMatchObject({ turnCount: 0, run: { active: true } });
  expect((await runs.read(session, runId, 0))!.run.status).toBe('RUNNING');

  expect(await runs.finish(session, hold, endAt(3))).toBe('finished');
  expect((await log.read(session, range))!.state).toMatchObject({ turnCount: 1, run: { active: false } });
  expect((await runs.read(session, runId, 0))!.run).toMatchObject({ status: 'COMPLETED', lastOffset: 3 });
  expect(await runs.finish(session, hold, endAt(4))).toBe('gone');
});
