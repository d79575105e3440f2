import { expect, inject, it, vi } from 'vitest';
import { Concurrency } from '../../gen/parley/v1/chat_service_pb.ts';
import { askRedis } from '../../src/redis/data_lock.ts';
import type { Clients } from '../harness.ts';
import { text } from '../models/endpoint.ts';
import { chat, type Listener } from './chat_listener.ts';
import { activeRun, expectHeard, logOf } from './chat_records.ts';
import { begin, type Server, SOON, type Stage, setStage } from './chat_stage.ts';

const MOST = 32;

it('who waits on either process is answered in order of arrival', async () => {
  const stage = await setStage();
  const { one, two } = stage;
  stage.endpoint.answers(({ body }) => text(`To ${body.messages.at(-1).content}.`));
  const { sessionId, runId, caller, answer } = await begin(stage, one, 'A moment');
  const waiting: Listener[] = [];
  for (let n = 1; n <= 10; n++) waiting.push(await wait(stage, [one, two][n % 2]!, sessionId, n));
  expect(await logOf(one, sessionId)).toEqual(['1 USER A question?']);
  answer.finish();
  await Promise.all([caller, ...waiting].map(({ over }) => over));
  await expectHeard(two, sessionId, runId, { caller: [caller] });
  for (const listener of waiting) {
    expect([listener.end, listener.last]).toEqual(['OK', 'completed']);
    await expectHeard(one, sessionId, listener.runId, { listener: [listener] });
  }
  expect(await logOf(two, sessionId)).toEqual([
    '1 USER A question?',
    '2 ASSISTANT A moment',
    ...waiting.flatMap((_, index) => [
      `${2 * index + 3} USER number ${index + 1}`,
      `${2 * index + 4} ASSISTANT To number ${index + 1}.`,
    ]),
  ]);
});

it('who leaves or dies while waiting is not answered, and does not keep the others waiting', async () => {
  const stage = await setStage({ PARLEY_RUN_LEASE: '2s' });
  const { two } = stage;
  const doomed = await stage.another();
  stage.endpoint.answers(({ body }) => text(`To ${body.messages.at(-1).content}.`));
  const { sessionId, answer, caller } = await begin(stage, two, 'A moment');
  await wait(stage, doomed, sessionId, 1);
  const leaves = await wait(stage, stage.one, sessionId, 2);
  const stays = await wait(stage, two, sessionId, 3);
  doomed.process.kill('SIGKILL');
  await doomed.process.exit();
  await leaves.cut();
  answer.finish();
  await Promise.all([caller.over, stays.over]);
  expect(stays.last).toBe('completed');
  expect((await logOf(two, sessionId)).slice(2)).toEqual(['3 USER number 3', '4 ASSISTANT To number 3.']);
  expect(await activeRun(two, sessionId)).toBe('');
});

it(`more than ${MOST} do not wait, on both processes together`, async () => {
  const stage = await setStage();
  const { one, two } = stage;
  stage.endpoint.answers(({ body }) => text(`To ${body.messages.at(-1).content}.`));
  const { sessionId, answer } = await begin(stage, one, 'A moment');
  const waiting = Array.from({ length: MOST + 8 }, (_, n) => enqueue([one, two][n % 2]!, sessionId, n));
  await vi.waitUntil(() => waiting.filter(({ end }) => end !== 'open').length >= 8, SOON);
  const refused = waiting.filter(({ end }) => end !== 'open');
  expect(refused.map(({ end }) => end)).toEqual(Array(8).fill('RESOURCE_EXHAUSTED QUOTA_EXCEEDED'));
  answer.finish();
  await Promise.all(waiting.map(({ over }) => over));
  expect(waiting.filter(({ last }) => last === 'completed')).toHaveLength(MOST);
  expect(await logOf(two, sessionId)).toHaveLength(2 + 2 * MOST);
});

function enqueue(server: Clients, sessionId: string, n: number): Listener {
  const messages = [{ content: `number ${n}` }];
  return chat(server, { sessionId, messages, concurrency: Concurrency.ENQUEUE });
}

/** Asks, and returns when the call waits for its turn. */
async function wait(stage: Stage, server: Server, sessionId: string, n: number): Promise<Listener> {
  const before = await waitingIn(stage, sessionId);
  const listener = enqueue(server, sessionId, n);
  await vi.waitUntil(async () => (await waitingIn(stage, sessionId)) === before + 1, SOON);
  return listener;
}

/** How many wait for a session, which only Redis knows. */
async function waitingIn({ keyPrefix }: Stage, sessionId: string): Promise<number> {
  const reply = await askRedis(inject('redisUrl'), `HLEN ${keyPrefix}:queue:{default/${sessionId}}`, 1000);
  return Number(/^:(\d+)/.exec(reply!)![1]);
}
