import { expect, it } from 'vitest';
import { chat, type Listener, resume } from './chat_listener.ts';
import { activeRun, expectHeard, logOf, statusOf } from './chat_records.ts';
import { type Answer, type Begun, begin, hungUp, nextAnswer, setStage } from './chat_stage.ts';

it('a process that was paused past its lease writes nothing into the later runs or the logs', async () => {
  const stage = await setStage({ PARLEY_RUN_LEASE: '2s' });
  const { one, two } = stage;
  // Many, as it is a matter of chance whether a process that wakes up speaks before it hears.
  const begun: Begun[] = [];
  for (let n = 0; n < 10; n++) begun.push(await begin(stage, one, 'I was'));
  const others = begun.map(({ sessionId, runId }) => resume(two, sessionId, runId));
  await Promise.all(others.map((other) => other.hears('I was')));

  one.process.kill('SIGSTOP');
  for (const { answer } of begun) answer.say(' about to say');
  await Promise.all(others.map(({ over }) => over));
  for (const { last } of others) expect(last).toBe('failed RUN_ABANDONED');

  const laters: [Listener, Answer][] = [];
  for (const { sessionId } of begun) {
    const second = nextAnswer(stage.endpoint);
    const later = chat(two, { sessionId, messages: [{ content: 'And?' }] });
    second.say('Now ');
    await later.hears('Now ');
    laters.push([later, second]);
  }

  one.process.kill('SIGCONT');
  for (const { answer } of begun) answer.say(' more');
  for (const [index, { sessionId, runId, caller, request }] of begun.entries()) {
    expect(await caller.over).toBe('OK');
    expect(caller.last).toBe('failed RUN_ABANDONED');
    await hungUp(request);
    const [later, second] = laters[index]!;
    second.say('I speak.');
    second.finish();
    await later.over;
    await expectHeard(two, sessionId, runId, { caller: [caller], other: [others[index]!] });
    await expectHeard(one, sessionId, later.runId, { later: [later] });
    for (const server of [one, two]) {
      expect(await logOf(server, sessionId)).toEqual([
        '1 USER A question?',
        '2 ASSISTANT PARTIAL ERROR I was',
        '3 USER And?',
        '4 ASSISTANT Now I speak.',
      ]);
      expect(await statusOf(server, sessionId, runId)).toBe('FAILED RUN_ABANDONED');
      expect(await statusOf(server, sessionId, later.runId)).toBe('COMPLETED');
      expect(await activeRun(server, sessionId)).toBe('');
    }
    const again = resume(two, sessionId, runId);
    await again.over;
    expect(again.messages).toEqual(others[index]!.messages);
  }
});

it('a process that was paused with the ends of answers on their way does not end the later runs', async () => {
  const stage = await setStage({ PARLEY_RUN_LEASE: '2s' });
  const { one, two } = stage;
  const begun: Begun[] = [];
  for (let n = 0; n < 10; n++) begun.push(await begin(stage, one, 'Done'));
  one.process.kill('SIGSTOP');
  // Nothing is left to be written but the end, which it sends as soon as it wakes up.
  for (const { answer } of begun) answer.finish();
  const others = begun.map(({ sessionId, runId }) => resume(two, sessionId, runId));
  await Promise.all(others.map(({ over }) => over));
  const laters: Begun[] = [];
  for (const { sessionId } of begun) laters.push(await begin(stage, two, 'Here', { sessionId }));

  one.process.kill('SIGCONT');
  for (const [index, { sessionId, runId, caller }] of begun.entries()) {
    await caller.over;
    expect(caller.last).toBe('failed RUN_ABANDONED');
    const later = laters[index]!;
    expect(await activeRun(one, sessionId)).toBe(later.runId);
    later.answer.finish();
    await later.caller.over;
    await expectHeard(two, sessionId, runId, { caller: [caller], other: [others[index]!] });
    await expectHeard(one, sessionId, later.runId, { later: [later.caller] });
    expect((await logOf(one, sessionId)).slice(1)).toEqual([
      '2 ASSISTANT PARTIAL ERROR Done',
      '3 USER A question?',
      '4 ASSISTANT Here',
    ]);
  }
});
