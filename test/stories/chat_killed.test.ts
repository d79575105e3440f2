import { expect, it } from 'vitest';
import { Concurrency } from '../../gen/parley/v1/chat_service_pb.ts';
import { delta, hanging } from '../models/endpoint.ts';
import { chat, follow, resume } from './chat_listener.ts';
import { activeRun, expectHeard, logOf, statusOf } from './chat_records.ts';
import { begin, newSession, nextAnswer, setStage } from './chat_stage.ts';

it.each([
  { lease: 'a lease of 2 s', settings: { PARLEY_RUN_LEASE: '2s' }, within: 7000 },
  { lease: 'the default lease', settings: {}, within: 15_000 },
])('the run of a process that is killed is ended by the other: $lease', async ({ settings, within }) => {
  const stage = await setStage(settings);
  const { one, two } = stage;
  const { sessionId, runId, caller } = await begin(stage, one, 'Last words');
  const other = resume(two, sessionId, runId);
  const follower = follow(two, sessionId);
  await Promise.all([other.hears('Last words'), follower.hears('Last words')]);
  expect(await activeRun(two, sessionId)).toBe(runId);

  const died = performance.now();
  one.process.kill('SIGKILL');
  expect(await other.over).toBe('OK');
  expect(performance.now() - died).toBeLessThan(within);
  expect(other.last).toBe('failed RUN_ABANDONED');
  await follower.hearsOf('failed RUN_ABANDONED');
  await follower.cut();
  expect(await caller.over).toMatch(/^(UNAVAILABLE|ABORTED|CANCELLED|INTERNAL) \(/);
  const rest = resume(two, sessionId, runId, caller.messages.at(-1)!.offset);
  await rest.over;
  const everybody = { caller: [caller, rest], other: [other], follower: [follower] };
  await expectHeard(two, sessionId, runId, everybody, [caller.end]);
  expect(await statusOf(two, sessionId, runId)).toBe('FAILED RUN_ABANDONED');
  expect(await logOf(two, sessionId)).toEqual(['1 USER A question?', '2 ASSISTANT PARTIAL ERROR Last words']);
  expect(await activeRun(two, sessionId)).toBe('');

  const answer = nextAnswer(stage.endpoint);
  const next = chat(two, { sessionId, messages: [{ content: 'Again?' }] });
  answer.say('Gladly.');
  answer.finish();
  await next.over;
  expect(next.last).toBe('completed');
  expect((await logOf(two, sessionId)).slice(2)).toEqual(['3 USER Again?', '4 ASSISTANT Gladly.']);
});

it('the run of a process whose clock was an hour ahead is ended no later', async () => {
  const stage = await setStage({ PARLEY_RUN_LEASE: '1s' });
  const program = 'const { now } = Date; Date.now = () => now() + 3_600_000;';
  const ahead = await stage.another({
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(program)}`,
  });
  const { sessionId, runId } = await begin(stage, ahead, 'Last words');
  const other = resume(stage.two, sessionId, runId);
  await other.hears('Last words');
  ahead.process.kill('SIGKILL');
  expect(await other.over).toBe('OK');
  expect(other.last).toBe('failed RUN_ABANDONED');
});

it('who asks before anybody noticed is answered as soon as the lease has passed', async () => {
  const stage = await setStage({ PARLEY_RUN_LEASE: '2s' });
  const { one, two } = stage;
  const { sessionId, runId } = await begin(stage, one, 'Last words');
  one.process.kill('SIGKILL');
  await one.process.exit();
  const refused = chat(two, { sessionId, messages: [{ content: 'Hello?' }] });
  expect(await refused.over).toBe('ABORTED RUN_IN_PROGRESS');

  const answer = nextAnswer(stage.endpoint);
  answer.say('Yes.');
  answer.finish();
  const asked = { sessionId, messages: [{ content: 'Anybody?' }], concurrency: Concurrency.ENQUEUE };
  const next = chat(two, asked);
  expect(await next.over).toBe('OK');
  expect(next.last).toBe('completed');
  expect(await statusOf(two, sessionId, runId)).toBe('FAILED RUN_ABANDONED');
  expect(await logOf(two, sessionId)).toEqual([
    '1 USER A question?',
    '2 ASSISTANT PARTIAL ERROR Last words',
    '3 USER Anybody?',
    '4 ASSISTANT Yes.',
  ]);
});

it('the runs of a hundred sessions of a killed process all end', async () => {
  const stage = await setStage({ PARLEY_RUN_LEASE: '2s' });
  const { one, two } = stage;
  stage.endpoint.answers(() => hanging([delta({ content: 'Well' })]));
  const sessions = await Promise.all(Array.from({ length: 100 }, () => newSession(one)));
  const callers = sessions.map((sessionId) => chat(one, { sessionId, messages: [{ content: 'And?' }] }));
  await Promise.all(callers.map((caller) => caller.hears('Well')));
  const others = callers.map(({ runId }, index) => resume(two, sessions[index]!, runId));
  await Promise.all(others.map((other) => other.hears('Well')));
  one.process.kill('SIGKILL');
  await Promise.all(others.map(({ over }) => over));
  for (const [index, other] of others.entries()) {
    const sessionId = sessions[index]!;
    expect(other.last).toBe('failed RUN_ABANDONED');
    await expectHeard(two, sessionId, other.runId, { other: [other] });
    expect(await activeRun(two, sessionId)).toBe('');
  }
});
