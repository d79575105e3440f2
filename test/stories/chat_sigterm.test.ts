import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Concurrency } from '../../gen/parley/v1/chat_service_pb.ts';
import { chat, resume } from './chat_listener.ts';
import { activeRun, expectHeard, logOf, statusOf } from './chat_records.ts';
import { begin, nextAnswer, setStage } from './chat_stage.ts';

it('an answer that ends within the grace period is whole for its caller, and then the process exits', async () => {
  const stage = await setStage({ PARLEY_SHUTDOWN_GRACE: '10s' });
  const { one, two } = stage;
  const { sessionId, runId, caller, answer } = await begin(stage, one, 'One moment');
  const idle = await begin(stage, one, 'Abandoned by its caller');
  await idle.caller.cut();
  const asked = performance.now();
  one.process.kill('SIGTERM');
  await one.process.stops();
  answer.say(', please.');
  await caller.hears(', please.');
  answer.finish();
  idle.answer.finish();
  expect(await caller.over).toBe('OK');
  expect(caller.last).toBe('completed');
  expect(await one.process.exit()).toBe(0);
  expect(performance.now() - asked).toBeLessThan(8000); // not the whole grace period
  await expectHeard(two, sessionId, runId, { caller: [caller] });
  expect(await statusOf(two, idle.sessionId, idle.runId)).toBe('COMPLETED');
});

it('an answer that does not end is abandoned with what was said, and the process exits in time', async () => {
  const stage = await setStage({ PARLEY_SHUTDOWN_GRACE: '2s' });
  const { one, two } = stage;
  const { sessionId, runId, caller, answer, request } = await begin(stage, one, 'On and on ');
  const others = { here: resume(one, sessionId, runId), there: resume(two, sessionId, runId) };
  await Promise.all(Object.values(others).map((listener) => listener.hears('On and on ')));
  const asked = performance.now();
  one.process.kill('SIGTERM');
  for (let n = 0; !request.hungUp.aborted; n++) {
    answer.say(`and on ${n} `);
    await sleep(1);
  }
  expect(await one.process.exit()).toBe(0);
  expect(performance.now() - asked).toBeLessThan(4000);
  await Promise.all([caller, ...Object.values(others)].map(({ over }) => over));
  for (const { last } of [caller, ...Object.values(others)]) expect(last).toBe('failed RUN_ABANDONED');
  const everybody = { caller: [caller], here: [others.here], there: [others.there] };
  await expectHeard(two, sessionId, runId, everybody);
  expect(await statusOf(two, sessionId, runId)).toBe('FAILED RUN_ABANDONED');
  expect((await logOf(two, sessionId))[1]).toMatch(/^2 ASSISTANT PARTIAL ERROR On and on and on 0 /);
  expect(await activeRun(two, sessionId)).toBe('');

  const next = nextAnswer(stage.endpoint);
  const again = chat(two, { sessionId, messages: [{ content: 'Again?' }] });
  next.say('Gladly.');
  next.finish();
  await again.over;
  expect(again.last).toBe('completed');
});

it('who waits for his turn on a process that stops is told, and asks the other', async () => {
  const stage = await setStage({ PARLEY_SHUTDOWN_GRACE: '2s' });
  const { one, two } = stage;
  const { sessionId, runId, caller, answer } = await begin(stage, two, 'A moment');
  const messages = [{ content: 'And me?' }];
  const ask = { sessionId, messages, concurrency: Concurrency.ENQUEUE, requestId: 'mine' };
  const waiting = chat(one, ask);
  const listener = resume(one, sessionId, runId); // of a run that another process makes
  await listener.hears('A moment'); // behind it on the same connection: it waits by now
  one.process.kill('SIGTERM');
  expect(await waiting.over).toBe('UNAVAILABLE SERVER_STOPPING');
  expect(await one.process.exit()).toBe(0);
  const second = nextAnswer(stage.endpoint);
  second.say('And you.');
  second.finish();
  const again = chat(two, ask);
  answer.finish();
  await Promise.all([caller.over, again.over, listener.over]);
  const rest = resume(two, sessionId, runId, listener.messages.at(-1)!.offset);
  await rest.over;
  await expectHeard(two, sessionId, runId, { caller: [caller], listener: [listener, rest] }, [listener.end]);
  expect(listener.end).toBe('UNAVAILABLE SERVER_STOPPING');
  expect(await logOf(two, sessionId)).toEqual([
    '1 USER A question?',
    '2 ASSISTANT A moment',
    '3 USER And me?',
    '4 ASSISTANT And you.',
  ]);
});
