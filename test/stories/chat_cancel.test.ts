import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { OnDisconnect } from '../../gen/parley/v1/chat_service_pb.ts';
import { RedisProcess } from '../processes.ts';
import { chat, follow, resume } from './chat_listener.ts';
import { activeRun, expectHeard, logOf, statusOf } from './chat_records.ts';
import { begin, hungUp, nextAnswer, SOON, setStage } from './chat_stage.ts';

it('a run is cancelled from the other process: the provider is hung up on, and everybody hears of it', async () => {
  const stage = await setStage();
  const { one, two } = stage;
  const { sessionId, runId, caller, request } = await begin(stage, one, 'Once upon');
  const others = { here: resume(one, sessionId, runId), there: resume(two, sessionId, runId) };
  const follower = follow(two, sessionId);
  await Promise.all([...Object.values(others), follower].map((listener) => listener.hears('Once upon')));

  const { run } = await two.chat.cancelChat({ sessionId, runId });
  await hungUp(request);
  await Promise.all([caller, ...Object.values(others)].map(({ over }) => over));
  await follower.hearsOf('cancelled');
  await follower.cut();
  await expectHeard(one, sessionId, runId, {
    caller: [caller],
    here: [others.here],
    there: [others.there],
    follower: [follower],
  });
  expect(caller.last).toBe('cancelled');
  expect(await logOf(one, sessionId)).toEqual([
    '1 USER A question?',
    '2 ASSISTANT PARTIAL CANCELLED Once upon',
  ]);
  expect([await statusOf(one, sessionId, runId), await statusOf(two, sessionId, runId)]).toEqual([
    'CANCELLED',
    'CANCELLED',
  ]);
  expect([run!.turnSeq, run!.lastOffset]).toEqual([2, caller.messages.at(-1)!.offset]);
  expect((await one.chat.cancelChat({ sessionId, runId })).run).toEqual(run);
  expect(await activeRun(two, sessionId)).toBe('');
});

it('whoever cancels, of many at once, is answered with the run as it ended', async () => {
  const stage = await setStage();
  const { one, two } = stage;
  for (let round = 0; round < 10; round++) {
    const { sessionId, runId, caller } = await begin(stage, one, 'Well,');
    const cancels = [one, two, one, two, one, two].map(({ chat }) => chat.cancelChat({ sessionId, runId }));
    const runs = (await Promise.all(cancels)).map(({ run }) => run!);
    for (const run of runs) expect(run).toEqual(runs[0]);
    expect(await statusOf(one, sessionId, runId)).toBe('CANCELLED');
    expect(runs[0]!.turnSeq).toBe(2);
    await caller.over;
    await expectHeard(two, sessionId, runId, { caller: [caller] });
  }
});

it('a run that was asked for with on_disconnect CANCEL is cancelled when its caller is lost', async () => {
  const stage = await setStage();
  const { one, two } = stage;
  const { sessionId, runId, caller, request } = await begin(stage, one, 'Are you', {
    onDisconnect: OnDisconnect.CANCEL,
  });
  const other = resume(two, sessionId, runId);
  await other.hears('Are you');
  await caller.cut();
  await hungUp(request);
  await other.over;
  expect(other.last).toBe('cancelled');
  await expectHeard(two, sessionId, runId, { other: [other] });
  expect(await statusOf(two, sessionId, runId)).toBe('CANCELLED');
  expect(await logOf(two, sessionId)).toEqual([
    '1 USER A question?',
    '2 ASSISTANT PARTIAL CANCELLED Are you',
  ]);

  const answer = nextAnswer(stage.endpoint);
  const next = chat(two, { sessionId, messages: [{ content: 'Still there?' }] });
  answer.say('Yes.');
  answer.finish();
  await next.over;
  expect(next.last).toBe('completed');
});

it('and also when its caller is lost while Redis is away', async () => {
  const redis = await RedisProcess.start();
  const stage = await setStage({ REDIS_URL: redis.url });
  const { one } = stage;
  const { sessionId, runId, caller, request } = await begin(stage, one, 'Are you', {
    onDisconnect: OnDisconnect.CANCEL,
  });
  await redis.kill();
  await vi.waitUntil(async () => (await one.health.check({})).status !== 1, SOON);
  await caller.cut();
  await sleep(100);
  await redis.start();
  await hungUp(request);
  await vi.waitUntil(async () => (await one.health.check({})).status === 1, SOON);
  expect(await statusOf(one, sessionId, runId)).toBe('CANCELLED');
});

it('a run goes on without its caller, and is whole for whoever resumes it', async () => {
  const stage = await setStage();
  const { one, two } = stage;
  const { sessionId, runId, caller, answer, request } = await begin(stage, one, 'Nobody ');
  await caller.cut();
  const offset = caller.messages.at(-1)!.offset;
  answer.say('listens', ' any more.');
  answer.finish();
  const rest = resume(two, sessionId, runId, offset);
  await rest.over;
  expect(rest.last).toBe('completed');
  await expectHeard(two, sessionId, runId, { caller: [caller, rest] });
  expect(await logOf(two, sessionId)).toEqual(['1 USER A question?', '2 ASSISTANT Nobody listens any more.']);
  expect(request.hungUp.aborted).toBe(false);
});
