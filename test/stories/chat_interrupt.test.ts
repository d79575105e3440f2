import { expect, it, vi } from 'vitest';
import { Concurrency } from '../../gen/parley/v1/chat_service_pb.ts';
import { delta, hanging } from '../models/endpoint.ts';
import { chat, follow } from './chat_listener.ts';
import { activeRun, expectHeard, logOf, statusOf } from './chat_records.ts';
import { begin, hungUp, nextAnswer, SOON, setStage } from './chat_stage.ts';

it('an answer is interrupted from the other process, and the log says so in order', async () => {
  const stage = await setStage();
  const { one, two } = stage;
  const { sessionId, runId, caller, request } = await begin(stage, one, 'As I was saying');
  const follower = follow(one, sessionId);
  await follower.hears('As I was saying');

  const second = nextAnswer(stage.endpoint);
  const messages = [{ content: 'Stop!' }];
  const interrupter = chat(two, { sessionId, messages, concurrency: Concurrency.INTERRUPT });
  await caller.over;
  await hungUp(request);
  expect(caller.last).toBe('cancelled');
  await second.asked;
  second.say('Very well.');
  second.finish();
  await interrupter.over;
  expect(interrupter.last).toBe('completed');

  await expectHeard(two, sessionId, runId, { caller: [caller] });
  await expectHeard(one, sessionId, interrupter.runId, { interrupter: [interrupter] });
  expect(await statusOf(two, sessionId, runId)).toBe('CANCELLED');
  expect(await logOf(one, sessionId)).toEqual([
    '1 USER A question?',
    '2 ASSISTANT PARTIAL CANCELLED As I was saying',
    '3 USER Stop!',
    '4 ASSISTANT Very well.',
  ]);
  // What the second model was asked holds what the first had said.
  const { messages: asked } = (await second.asked).body;
  expect(asked.map(({ content }: { content: string }) => content)).toEqual([
    'A question?',
    'As I was saying',
    'Stop!',
  ]);
  await follower.hearsOf('completed');
  await follower.cut();
  const told = [...caller.messages, ...interrupter.messages];
  expect(follower.messages).toEqual(told);
});

it('of many who interrupt at once from both processes each is answered or cut short, one after the other', async () => {
  const stage = await setStage();
  const { one, two } = stage;
  const { sessionId, runId, caller } = await begin(stage, one, 'First');
  stage.endpoint.answers(() => hanging([delta({ content: 'Well' })]));
  const concurrency = Concurrency.INTERRUPT;
  const rivals = [one, two, one, two, one, two].map((server, index) =>
    chat(server, { sessionId, messages: [{ content: `rival ${index}` }], concurrency }),
  );
  await caller.over;
  await vi.waitUntil(() => rivals.filter(({ end }) => end === 'OK').length === rivals.length - 1, SOON);
  const [winner] = rivals.filter(({ end }) => end === 'open');
  await winner!.hears('Well');
  expect(await activeRun(two, sessionId)).toBe(winner!.runId);
  await one.chat.cancelChat({ sessionId, runId: winner!.runId });
  await winner!.over;
  await expectHeard(two, sessionId, runId, { caller: [caller] });
  for (const rival of rivals) {
    expect(rival.last).toBe('cancelled');
    await expectHeard(two, sessionId, rival.runId, { rival: [rival] });
  }
  const asked = (await logOf(one, sessionId)).filter((line) => line.includes('USER'));
  expect(asked).toHaveLength(7);
});
