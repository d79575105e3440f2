/** Integrations whose process dies, or stands still, at the worst moment. */
import { describe, expect, it } from 'vitest';
import { type Clients, newId } from '../harness.ts';
import {
  delta,
  ending,
  refusal as endpointRefusal,
  type ModelEndpoint,
  startEndpoint,
  type Written,
} from '../models/endpoint.ts';
import { ParleyProcess, sharedRedis } from '../processes.ts';
import { refusal } from '../refusal.ts';
import { insightsOf, integrated, learnt, sessionOf, told } from '../services/insights.ts';

const LESSON = '{"insights": [{"text": "Ann counts", "evidence": [1, 3]}]}';

/** Two servers over one Redis, and a session both know. */
async function stage(): Promise<{
  first: ParleyProcess;
  one: Clients;
  two: Clients;
  endpoint: ModelEndpoint;
  sessionId: string;
}> {
  const endpoint = await startEndpoint();
  const settings = {
    ...sharedRedis(),
    PARLEY_KEY_PREFIX: `test-${newId()}`,
    PARLEY_ADDRESS: '127.0.0.1:0',
    PARLEY_MODEL: 'test',
    OPENAI_BASE_URL: endpoint.url,
    PARLEY_RUN_LEASE: '1s',
  };
  const first = new ParleyProcess(settings);
  const second = new ParleyProcess(settings);
  const [one, two] = await Promise.all([first.ready(), second.ready()]);
  return { first, one, two, endpoint, sessionId: await sessionOf(one, 3, 'bot') };
}

/** A lesson that is on its way whole before `left` is over, when it is let go. */
function lesson() {
  const gate = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const written = async function* (): AsyncGenerator<Written> {
    asked.resolve();
    await gate.promise;
    yield delta({ content: LESSON });
    yield* ending();
    left.resolve();
  };
  return { written: written(), asked: asked.promise, letGo: gate.resolve, left: left.promise };
}

/** Integrates as soon as nobody else is at it. */
async function integratedAtLast(parley: Clients, sessionId: string, requestId: string): Promise<string[]> {
  let events: string[] = [];
  const attempt = async () => {
    events = await integrated(parley, { sessionId, requestId });
    return events.at(-1);
  };
  await expect.poll(() => attempt().catch(() => ''), { timeout: 15_000 }).toBe('completed');
  return events;
}

const ONCE = ['started bot', 'bot 1-3: Ann counts (1 3)', 'completed'];

describe('an integration', () => {
  it('whose process is killed between the model’s answer and the write is made once when it is retried', async () => {
    const { first, one, two, endpoint, sessionId } = await stage();
    const answer = lesson();
    endpoint.answersOnce(answer.written);
    const lost = refusal(integrated(one, { sessionId, requestId: 'r' }));
    await answer.asked;
    process.kill(first.pid, 'SIGSTOP');
    answer.letGo();
    await answer.left; // it is there, and nobody reads it
    first.kill('SIGKILL');
    expect(await lost).toMatch(/^(UNAVAILABLE|INTERNAL|ABORTED|CANCELLED)/);
    expect(await learnt(two, sessionId)).toBe('bot: 0 through 0');
    expect(await refusal(integrated(two, { sessionId, requestId: 'r' }))).toBe(
      'ABORTED INTEGRATION_IN_PROGRESS',
    );

    endpoint.answers([delta({ content: LESSON }), ...ending()]);
    expect(await integratedAtLast(two, sessionId, 'r')).toEqual(ONCE);
    expect(await integrated(two, { sessionId, requestId: 'r' })).toEqual(ONCE);
    expect(endpoint.requests).toHaveLength(2);
    expect((await insightsOf(two, sessionId)).map(told)).toEqual(['Ann counts (1 3)']);
    expect(await learnt(two, sessionId)).toBe('bot: 1 through 3');
  });

  it('whose process is killed after the write is told again when it is retried, and no model is asked', async () => {
    const { first, one, two, endpoint, sessionId } = await stage();
    await one.sessions.bindParticipant({ sessionId, participant: { participantId: 'owl', kind: 2 } });
    endpoint.answersOnce([delta({ content: LESSON }), ...ending()]);
    const second = lesson();
    endpoint.answersOnce(second.written);
    const lost = refusal(integrated(one, { sessionId, requestId: 'r' }));
    await second.asked; // so the first agent's are stored
    first.kill('SIGKILL');
    await lost;
    const [stored] = await insightsOf(two, sessionId);
    expect(told(stored!)).toBe('Ann counts (1 3)');

    endpoint.answers([delta({ content: '{"insights": []}' }), ...ending()]);
    expect(await integratedAtLast(two, sessionId, 'r')).toEqual([
      'started bot owl',
      'bot 1-3: Ann counts (1 3)',
      'owl 1-3: ',
      'completed',
    ]);
    expect(endpoint.requests).toHaveLength(3);
    expect(await insightsOf(two, sessionId)).toEqual([stored]);
  });

  it('whose process stood still while another one was made writes nothing when it wakes', async () => {
    const { first, one, two, endpoint, sessionId } = await stage();
    const late = lesson();
    endpoint.answersOnce(late.written);
    const ended = refusal(integrated(one, { sessionId }));
    await late.asked;
    process.kill(first.pid, 'SIGSTOP');
    late.letGo();
    await late.left;
    endpoint.answers(endpointRefusal(401)); // the other learns nothing: only whose turn it was has changed
    expect(await integratedAtLast(two, sessionId, 'other')).toContain('bot 1-3 failed MODEL_UNAUTHORIZED');

    process.kill(first.pid, 'SIGCONT');
    expect(await ended).toBe('ABORTED INTEGRATION_IN_PROGRESS');
    expect(await insightsOf(two, sessionId)).toEqual([]);
    expect(await learnt(one, sessionId)).toBe('bot: 0 through 0');
  });

  it('is held for as long as its model thinks', async () => {
    const { one, two, endpoint, sessionId } = await stage();
    const slow = lesson();
    endpoint.answersOnce(slow.written);
    const events = integrated(one, { sessionId });
    await slow.asked;
    const until = Date.now() + 2500; // more than two leases
    while (Date.now() < until) {
      expect(await refusal(integrated(two, { sessionId }))).toBe('ABORTED INTEGRATION_IN_PROGRESS');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    slow.letGo();
    expect(await events).toEqual(ONCE);
  });
});
