import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Parley, startParley } from '../harness.ts';
import { type ModelEndpoint, startEndpoint, text } from '../models/endpoint.ts';
import { startOwnRedis } from '../redis_fixture.ts';
import { Answer, chat, held, textOf, told } from './answers.ts';
import { numbers, seqsOf, sessionWith } from './turns.ts';

const SOON = { timeout: 10_000, interval: 5 };
const WORDS = 'one two three four five six seven';

async function serverAt(endpoint: ModelEndpoint, settings: NodeJS.ProcessEnv): Promise<Parley> {
  const parley = await startParley({ PARLEY_MODEL: 'test', OPENAI_BASE_URL: endpoint.url, ...settings });
  onTestFinished(() => parley.stop());
  return parley;
}

describe('of two servers that are asked at once in one session', () => {
  it('one answers, and what the other has asked its model is given up', async () => {
    const endpoint = await startEndpoint();
    const one = await serverAt(endpoint, {});
    const two = await serverAt(endpoint, { PARLEY_KEY_PREFIX: one.keyPrefix });
    for (const _ of numbers(1, 12)) {
      const sessionId = await sessionWith(one, 0);
      const before = endpoint.requests.length;
      const { written, letGo } = held('the only ', 'answer');
      endpoint.answers(written);
      const ask = { sessionId, messages: [{ content: 'hello' }] };
      const answers = [one, two].map((server) => Answer.to(server, ask));
      const begun = await Promise.allSettled(answers.map((answer) => answer.heard('only')));
      expect(begun.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      const asked = endpoint.requests.slice(before);
      const still = () => asked.filter(({ hungUp }) => !hungUp.aborted).length;
      await expect.poll(still, SOON).toBe(1);
      letGo();
      const answer = answers[begun.findIndex(({ status }) => status === 'fulfilled')]!;
      expect(told(await answer.rest())).toEqual(['started', 'text the only answer', 'completed STOP']);
      expect(await seqsOf(one, sessionId)).toEqual([1, 2]);
    }
  });
});

describe('a Redis that is slow to start runs', () => {
  it('keeps everything in order, however fast the model is', async () => {
    const endpoint = await startEndpoint();
    const redis = await startOwnRedis();
    const parley = await serverAt(endpoint, { REDIS_URL: redis.path });
    endpoint.answers(text(WORDS));
    const sessions = await Promise.all(numbers(1, 8).map(() => sessionWith(parley, 0)));
    let asking = true;
    const hold = async () => {
      while (asking) {
        process.kill(redis.pid!, 'SIGSTOP');
        await sleep(60);
        process.kill(redis.pid!, 'SIGCONT');
        await sleep(20);
      }
    };
    const holding = hold();
    const answers = await Promise.all(
      sessions.map((sessionId) => chat(parley, { sessionId, messages: [{ content: 'hello' }] })),
    ).finally(() => {
      asking = false;
    });
    await holding;
    for (const answer of answers) {
      expect(told(answer)).toEqual(['started', `text ${WORDS}`, 'completed STOP']);
      expect(textOf(answer)).toBe(WORDS);
    }
    for (const sessionId of sessions) expect(await seqsOf(parley, sessionId)).toEqual([1, 2]);
    expect(endpoint.requests).toHaveLength(sessions.length);
  });
});
