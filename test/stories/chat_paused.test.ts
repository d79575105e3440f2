import { expect, it } from 'vitest';
import { chat, resume } from './chat_listener.ts';
import { activeRun, expectHeard, logOf, statusOf } from './chat_records.ts';
import { begin, hungUp, nextAnswer, setStage } from './chat_stage.ts';

it('a process that was paused past its lease writes nothing into the later run or the log', async () => {
  const stage = await setStage({ PARLEY_RUN_LEASE: '2s' });
  const { one, two } = stage;
  const { sessionId, runId, caller, answer, request } = await begin(stage, one, 'I was');
  const other = resume(two, sessionId, runId);
  await other.hears('I was');

  one.process.kill('SIGSTOP');
  answer.say(' about to say');
  await other.over;
  expect(other.last).toBe('failed RUN_ABANDONED');

  const second = nextAnswer(stage.endpoint);
  const later = chat(two, { sessionId, messages: [{ content: 'And?' }] });
  await second.asked;
  second.say('Now ');
  await later.hears('Now ');

  one.process.kill('SIGCONT');
  answer.say(' more');
  expect(await caller.over).toBe('OK');
  expect(caller.last).toBe('failed RUN_ABANDONED');
  await hungUp(request);
  second.say('I speak.');
  second.finish();
  await later.over;
  await expectHeard(two, sessionId, runId, { caller: [caller], other: [other] });
  await expectHeard(one, sessionId, later.runId, { later: [later] });
  const log = [
    '1 USER A question?',
    '2 ASSISTANT PARTIAL ERROR I was',
    '3 USER And?',
    '4 ASSISTANT Now I speak.',
  ];
  for (const server of [one, two]) {
    expect(await logOf(server, sessionId)).toEqual(log);
    expect(await statusOf(server, sessionId, runId)).toBe('FAILED RUN_ABANDONED');
    expect(await statusOf(server, sessionId, later.runId)).toBe('COMPLETED');
    expect(await activeRun(server, sessionId)).toBe('');
  }
});

it('a process that was paused with an answer whose end was on its way does not end the later run', async () => {
  const stage = await setStage({ PARLEY_RUN_LEASE: '2s' });
  const { one, two } = stage;
  const { sessionId, runId, caller, answer } = await begin(stage, one, 'Done');
  one.process.kill('SIGSTOP');
  answer.say(' in a');
  answer.finish();
  const other = resume(two, sessionId, runId);
  await other.over;
  const second = nextAnswer(stage.endpoint);
  const later = chat(two, { sessionId, messages: [{ content: 'And?' }] });
  await second.asked;
  one.process.kill('SIGCONT');
  await caller.over;
  expect(caller.last).toBe('failed RUN_ABANDONED');
  expect(await activeRun(one, sessionId)).toBe(later.runId);
  second.say('Here.');
  second.finish();
  await later.over;
  await expectHeard(two, sessionId, runId, { caller: [caller], other: [other] });
  expect((await logOf(one, sessionId)).slice(1)).toEqual([
    '2 ASSISTANT PARTIAL ERROR Done',
    '3 USER And?',
    '4 ASSISTANT Here.',
  ]);
});
