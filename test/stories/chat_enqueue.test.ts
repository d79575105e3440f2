import { describe, expect, inject, it, vi } from 'vitest';
import { Concurrency } from '../../gen/parley/v1/chat_service_pb.ts';
import { askRedis } from '../../src/redis/data_lock.ts';
import { type Clients, newId } from '../harness.ts';
import { embeddings } from '../models/embedding.ts';
import { hanging, text } from '../models/endpoint.ts';
import { type ChatAsk, chat, type Listener } from './chat_listener.ts';
import { activeRun, expectHeard, logOf } from './chat_records.ts';
import { begin, newSession, nextAnswer, type Server, SOON, type Stage, setStage } from './chat_stage.ts';

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

describe('who waits looks only when it may be his turn, and so', () => {
  /** Nobody looks just because time passes. */
  const LOOKS_SELDOM = { PARLEY_RUN_LEASE: '10m' };

  it('the documents are asked once for each answer, however long it was waited for', async () => {
    const stage = await setStage({ ...LOOKS_SELDOM, PARLEY_EMBEDDING_MODEL: 'embedder' });
    const { one, two, endpoint } = stage;
    endpoint.embeds(embeddings);
    const sessionId = await newSession(one);
    await one.documents.createDocument({ sessionId, document: { content: 'A ship in a storm.' } });
    const asked = () => endpoint.embeddingRequests.length - 1; // the document's own
    const { answer, caller } = await begin(stage, one, 'A moment', { sessionId });
    const waiting: Listener[] = [];
    for (let n = 1; n <= 4; n++) waiting.push(await wait(stage, [one, two][n % 2]!, sessionId, n));
    for (let n = 1; n <= 30; n++) {
      answer.say(` word${n}`);
      await caller.hears(`word${n}`);
    }
    expect(asked()).toBe(1);
    answer.finish();
    await Promise.all(waiting.map(({ over }) => over));
    expect(waiting.map(({ last }) => last)).toEqual(Array(4).fill('completed'));
    expect(asked()).toBe(1 + 4);
  });

  it('one who waits behind others that come to nothing is answered', async () => {
    const stage = await setStage(LOOKS_SELDOM);
    const { one, two } = stage;
    const { sessionId, answer } = await begin(stage, one, 'A moment');
    const nobody = { participantId: 'nobody' };
    const wrong = [
      await wait(stage, one, sessionId, 1, nobody),
      await wait(stage, two, sessionId, 2, nobody),
    ];
    const right = await wait(stage, one, sessionId, 3);
    answer.finish();
    expect(await Promise.all(wrong.map(({ over }) => over))).toEqual(
      Array(2).fill('NOT_FOUND PARTICIPANT_NOT_FOUND'),
    );
    await right.hearsOf('completed');
  });

  it('one that repeats a call that waits as well hears its answer from the first word', async () => {
    const stage = await setStage(LOOKS_SELDOM);
    const { one, two } = stage;
    const { sessionId, answer } = await begin(stage, one, 'A moment');
    const request = { requestId: newId() };
    const first = await wait(stage, one, sessionId, 1, request);
    const again = await wait(stage, two, sessionId, 1, request);
    const next = nextAnswer(stage.endpoint);
    answer.finish();
    await next.asked;
    next.say('As I said');
    await Promise.all([first.hears('As I said'), again.hears('As I said')]);
    expect(again.runId).toBe(first.runId);
    next.finish();
    expect(await Promise.all([first.over, again.over])).toEqual(['OK', 'OK']);
  });

  it('nobody waits for a session that is deleted', async () => {
    const stage = await setStage(LOOKS_SELDOM);
    const { one, two } = stage;
    const { sessionId, caller } = await begin(stage, one, 'A moment');
    const waiting = [await wait(stage, one, sessionId, 1), await wait(stage, two, sessionId, 2)];
    stage.endpoint.answers(hanging());
    await two.sessions.deleteSession({ sessionId });
    await Promise.all([caller, ...waiting].map(({ over }) => over));
    // One may have begun before the session was gone, and then was cancelled.
    for (const { end, last } of waiting)
      expect([end, last]).toBeOneOf([
        ['FAILED_PRECONDITION SESSION_DELETED', 'nothing'],
        ['OK', 'cancelled'],
      ]);
  });
});

function enqueue(server: Clients, sessionId: string, n: number, ask: ChatAsk = {}): Listener {
  const messages = [{ content: `number ${n}` }];
  return chat(server, { sessionId, messages, concurrency: Concurrency.ENQUEUE, ...ask });
}

/** Asks, and returns when the call waits for its turn. */
async function wait(
  stage: Stage,
  server: Server,
  sessionId: string,
  n: number,
  ask: ChatAsk = {},
): Promise<Listener> {
  const before = await waitingIn(stage, sessionId);
  const listener = enqueue(server, sessionId, n, ask);
  await vi.waitUntil(async () => (await waitingIn(stage, sessionId)) === before + 1, SOON);
  return listener;
}

/** How many wait for a session, which only Redis knows. */
async function waitingIn({ keyPrefix }: Stage, sessionId: string): Promise<number> {
  const reply = await askRedis(inject('redisUrl'), `HLEN ${keyPrefix}:queue:{default/${sessionId}}`, 1000);
  return Number(/^:(\d+)/.exec(reply!)![1]);
}
