import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { ContextOverflow } from '../../gen/parley/v1/session_service_pb.ts';
import { RedisProcess } from '../processes.ts';
import { getSession } from '../services/turns.ts';
import { chat, type Listener, resume } from './chat_listener.ts';
import { activeRun, expectHeard, logOf, statusOf } from './chat_records.ts';
import { begin, newSession, nextAnswer, type Server, SOON, setStage } from './chat_stage.ts';

/** What those are told who listen while Redis is away. */
const GONE = 'UNAVAILABLE STORAGE_UNAVAILABLE';

describe.each([
  { how: 'for a moment', lease: '10s', away: 300, ends: /^completed$/ },
  { how: 'for longer than a lease', lease: '1s', away: 3000, ends: /^(completed|failed RUN_ABANDONED)$/ },
])('a Redis that is killed in the middle of an answer and comes back after being away $how', (story) => {
  it('costs nobody a word: the answer ends, once, and is what everybody heard', async () => {
    const redis = await RedisProcess.start();
    const stage = await setStage({ REDIS_URL: redis.url, PARLEY_RUN_LEASE: story.lease });
    const { one, two } = stage;
    const { sessionId, runId, caller, answer } = await begin(stage, one, 'It goes ');
    const others = [insist(one, sessionId, runId), insist(two, sessionId, runId)];
    let said = 0;
    let talking = true;
    const talk = async () => {
      while (talking) {
        answer.say(`on ${++said} `);
        await sleep(3);
      }
      answer.finish();
    };
    const talked = talk();
    for (let time = 0; time < 2; time++) {
      const soon = `on ${said + 10} `;
      await vi.waitUntil(() => caller.text.includes(soon) || caller.end !== 'open', SOON);
      await redis.kill();
      await sleep(story.away);
      await redis.start();
    }
    talking = false;
    await talked;
    await Promise.all([serving(one), serving(two)]);

    const [here, there] = await Promise.all(others);
    await caller.over;
    const streams = [caller];
    if (caller.end !== 'OK')
      streams.push(...(await insist(two, sessionId, runId, caller.messages.at(-1)!.offset)));
    await expectHeard(two, sessionId, runId, { caller: streams, here: here!, there: there! }, [GONE]);
    const { last } = there!.at(-1)!;
    expect(last).toMatch(story.ends);
    const status = last === 'completed' ? 'COMPLETED' : 'FAILED RUN_ABANDONED';
    expect(await statusOf(one, sessionId, runId)).toBe(status);
    expect(await activeRun(one, sessionId)).toBe('');
    expect(await logOf(two, sessionId)).toHaveLength(2);

    const second = nextAnswer(stage.endpoint);
    const next = chat(one, { sessionId, messages: [{ content: 'And?' }] });
    second.say('That is all.');
    second.finish();
    await next.over;
    expect(next.last).toBe('completed');
  });
});

it.each(['ADAPTIVE', 'SUMMARIZE'] as const)(
  'a Redis that is away when a summary is made gets it when it is back, and the answer is made with it: %s',
  async (overflow) => {
    const redis = await RedisProcess.start();
    const stage = await setStage({ REDIS_URL: redis.url, PARLEY_SUMMARY_MODEL: 'summary-model' });
    const { one, two, endpoint } = stage;
    const sessionId = await newSession(one, {
      contextOverflow: ContextOverflow[overflow],
      tokenBudget: 500,
    });
    const messages = Array.from({ length: 40 }, (_, n) => ({
      content: `Pan ${n} is hot. ${'Very. '.repeat(20)}`,
    }));
    await one.chat.appendTurns({ sessionId, messages });
    const [summary, answer] = [nextAnswer(endpoint), nextAnswer(endpoint)];
    const caller = chat(one, { sessionId, messages: [{ content: 'And what now?' }] });
    expect((await summary.asked).body.model).toBe('summary-model');
    await vi.waitUntil(() => caller.messages.length > 0, SOON);
    const { runId } = caller.messages[0]!;

    await redis.kill();
    summary.say('They cooked.');
    summary.finish();
    await sleep(600);
    await redis.start();
    expect((await answer.asked).text).toContain('They cooked.');
    answer.say('As you wish.');
    answer.finish();

    const heard = await insist(two, sessionId, runId);
    expect(heard.at(-1)!.last).toBe('completed');
    expect((await getSession(two, sessionId)).summary).toBe('They cooked.');
  },
);

/** Listens to a run until its last event, however often it is told that Redis is away. */
async function insist(server: Server, sessionId: string, runId: string, after = 0): Promise<Listener[]> {
  const streams: Listener[] = [];
  for (let offset = after; ; await sleep(50)) {
    const stream = resume(server, sessionId, runId, offset);
    streams.push(stream);
    await stream.over;
    if (stream.end !== GONE) return streams;
    offset = stream.messages.at(-1)?.offset ?? offset;
  }
}

/** Returns when a process has Redis back. */
async function serving({ health }: Server): Promise<void> {
  const serves = async () => (await health.check({})).status === 1;
  await vi.waitUntil(serves, SOON);
}
