import { describe, expect, it } from 'vitest';
import type { IntegrateSessionResponse } from '../../gen/parley/v1/session_service_pb.ts';
import { startParley } from '../harness.ts';
import { refusal as endpointRefusal, hanging } from '../models/endpoint.ts';
import { refusal } from '../refusal.ts';
import { held, useEndpoint } from './answers.ts';
import { everyTurn, inShort, insightsOf, integrated, learnt, sessionOf, teaches } from './insights.ts';
import { say } from './turns.ts';

const { parley, endpoint } = useEndpoint();

/** The stream of an integration, and how to leave it. */
function open(ask: { sessionId: string; requestId?: string; model?: string }) {
  const abort = new AbortController();
  const stream = parley.sessions.integrateSession(ask, { signal: abort.signal });
  const events = stream[Symbol.asyncIterator]();
  const next = async () => inShort((await events.next()).value as IntegrateSessionResponse);
  return { next, leave: () => abort.abort() };
}

/** Waits until the endpoint was asked so often. */
async function asked(times: number): Promise<void> {
  await expect.poll(() => endpoint.requests.length, { interval: 10, timeout: 10_000 }).toBe(times);
}

describe('a repeated request_id', () => {
  it('is told the first outcome, ids and times included, and no model is asked', async () => {
    const sessionId = await sessionOf(parley, 230, 'bot', 'owl', 'cat');
    await integrated(parley, { sessionId, participantIds: ['owl'], requestId: 'owl' });
    endpoint.answers(everyTurn);
    const ask = { sessionId, requestId: 'all', model: 'gpt-4o' };
    const first = await Array.fromAsync(parley.sessions.integrateSession(ask));
    expect(first).toHaveLength(1 + 3 + 3 + 3 + 1);
    await say(parley, sessionId, 'more');
    const before = endpoint.requests.length;
    expect(await Array.fromAsync(parley.sessions.integrateSession(ask))).toEqual(first);
    expect(endpoint.requests).toHaveLength(before);
    expect(await learnt(parley, sessionId)).toMatch(/^bot: \d+ through 230/);
  });

  it('is told of those who were skipped', async () => {
    const sessionId = await sessionOf(parley, 1, 'bot', 'owl');
    endpoint.answers(everyTurn);
    await integrated(parley, { sessionId, participantIds: ['owl'] });
    const first = await integrated(parley, { sessionId, requestId: 'r' });
    expect(first).toEqual(['started bot owl', 'bot 1-1: They said 1 (1)', 'owl skipped', 'completed']);
    await say(parley, sessionId, 'more');
    expect(await integrated(parley, { sessionId, requestId: 'r' })).toEqual(first);
  });

  it('with another request is refused', async () => {
    const sessionId = await sessionOf(parley, 1, 'bot');
    endpoint.answers(everyTurn);
    await integrated(parley, { sessionId, requestId: 'r' });
    const other = integrated(parley, { sessionId, requestId: 'r', participantIds: ['bot'] });
    expect(await refusal(other)).toBe('INVALID_ARGUMENT REQUEST_ID_REUSED');
    expect((await integrated(parley, { sessionId }))[1]).toBe('bot skipped');
  });

  it('goes on where the first one failed an agent, for the agents of the first', async () => {
    const sessionId = await sessionOf(parley, 1, 'bot', 'owl');
    endpoint.answers(everyTurn);
    endpoint.answersOnce(endpointRefusal(401));
    const ask = { sessionId, requestId: 'r' };
    expect(await integrated(parley, ask)).toEqual([
      'started bot owl',
      'bot 1-1 failed MODEL_UNAUTHORIZED',
      'owl 1-1: They said 1 (1)',
      'completed',
    ]);
    await parley.sessions.bindParticipant({ sessionId, participant: { participantId: 'new', kind: 2 } });
    const before = endpoint.requests.length;
    const whole = ['started bot owl', 'bot 1-1: They said 1 (1)', 'owl 1-1: They said 1 (1)', 'completed'];
    expect(await integrated(parley, ask)).toEqual(whole);
    expect(await integrated(parley, ask)).toEqual(whole);
    expect(endpoint.requests.length - before).toBe(1);
    expect(await insightsOf(parley, sessionId)).toHaveLength(2);
  });

  it('goes on where its caller left, and nothing is learnt twice', async () => {
    const sessionId = await sessionOf(parley, 150, 'bot');
    endpoint.answers((request) => everyTurn(request));
    endpoint.answersOnce(teaches({ text: 'the first hundred', evidence: [100] }));
    endpoint.answersOnce(hanging());
    const before = endpoint.requests.length;
    const ask = { sessionId, requestId: 'r', model: 'gpt-4o' };
    const call = open(ask);
    expect([await call.next(), await call.next()]).toEqual([
      'started bot',
      'bot 1-100: the first hundred (100)',
    ]);
    await asked(before + 2);
    call.leave();
    await expect.poll(() => endpoint.requests.at(-1)!.hungUp.aborted, { timeout: 5000 }).toBe(true);
    await expect.poll(() => integrated(parley, ask).catch(() => []), { timeout: 5000 }).toHaveLength(4);
    expect(await learnt(parley, sessionId)).toBe('bot: 51 through 150');
    expect((await insightsOf(parley, sessionId)).at(-1)!.text).toBe('the first hundred');
  });

  it('is told without insights when those are gone', async () => {
    const sessionId = await sessionOf(parley, 1, 'bot');
    endpoint.answers(everyTurn);
    await integrated(parley, { sessionId, requestId: 'r' });
    await parley.sessions.truncateSession({ sessionId });
    await say(parley, sessionId, 'anew');
    await integrated(parley, { sessionId });
    expect(await integrated(parley, { sessionId, requestId: 'r' })).toEqual([
      'started bot',
      'bot 1-1: ',
      'completed',
    ]);
  });
});

describe('two integrations of a session at once', () => {
  it('are one, in whichever process: the other is refused, and may come later', async () => {
    const models = { PARLEY_MODEL: 'test', OPENAI_BASE_URL: endpoint.url };
    const other = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix, ...models });
    const sessionId = await sessionOf(parley, 2, 'bot');
    const answer = held('', '{"insights": [{"text": "once", "evidence": [1]}]}');
    endpoint.answersOnce(answer.written);
    const before = endpoint.requests.length;
    const first = integrated(parley, { sessionId });
    await asked(before + 1);
    for (const each of [parley, other]) {
      expect(await refusal(integrated(each, { sessionId }))).toBe('ABORTED INTEGRATION_IN_PROGRESS');
    }
    answer.letGo();
    expect(await first).toContain('bot 1-2: once (1)');
    expect((await integrated(other, { sessionId }))[1]).toBe('bot skipped');
    await other.stop();
  });

  it('are one when many begin in the same moment', async () => {
    const sessionId = await sessionOf(parley, 2, 'bot');
    endpoint.answers(everyTurn);
    const calls = Array.from({ length: 10 }, () => integrated(parley, { sessionId }));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await learnt(parley, sessionId)).toBe('bot: 2 through 2');
  });

  it('are two when they are of two sessions', async () => {
    const [one, two] = [await sessionOf(parley, 1, 'bot'), await sessionOf(parley, 1, 'bot')];
    const answer = held('', '{"insights": []}');
    endpoint.answersOnce(answer.written);
    const before = endpoint.requests.length;
    const first = integrated(parley, { sessionId: one });
    await asked(before + 1);
    endpoint.answers(everyTurn);
    expect(await integrated(parley, { sessionId: two })).toContain('bot 1-1: They said 1 (1)');
    answer.letGo();
    await first;
  });
});

describe('an integration', () => {
  it('whose caller leaves gives its request up, and makes room for the next', async () => {
    const sessionId = await sessionOf(parley, 1, 'bot');
    endpoint.answers(everyTurn);
    endpoint.answersOnce(hanging());
    const before = endpoint.requests.length;
    const call = open({ sessionId });
    await call.next();
    void call.next().catch(() => {});
    await asked(before + 1);
    call.leave();
    await expect.poll(() => endpoint.requests.at(-1)!.hungUp.aborted, { timeout: 5000 }).toBe(true);
    const again = () => integrated(parley, { sessionId }).catch(() => []);
    await expect.poll(again, { timeout: 5000 }).toContain('bot 1-1: They said 1 (1)');
  });

  it('ends with its deadline', async () => {
    const sessionId = await sessionOf(parley, 1, 'bot');
    endpoint.answersOnce(hanging());
    const call = Array.fromAsync(parley.sessions.integrateSession({ sessionId }, { timeoutMs: 300 }));
    expect((await refusal(call)).split(' ')[0]).toBe('DEADLINE_EXCEEDED');
    expect(await learnt(parley, sessionId)).toBe('bot: 0 through 0');
  });

  it('ends with SERVER_STOPPING when the server stops, and another server goes on', async () => {
    const models = { PARLEY_MODEL: 'test', OPENAI_BASE_URL: endpoint.url };
    const other = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix, ...models });
    const sessionId = await sessionOf(parley, 1, 'bot');
    endpoint.answers(everyTurn);
    endpoint.answersOnce(hanging());
    const before = endpoint.requests.length;
    const ended = refusal(integrated(other, { sessionId }));
    await asked(before + 1);
    await other.stop();
    expect(await ended).toBe('UNAVAILABLE SERVER_STOPPING');
    expect(await integrated(parley, { sessionId })).toContain('bot 1-1: They said 1 (1)');
  });
});
