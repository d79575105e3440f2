import { ConnectError } from '@connectrpc/connect';
import { describe, expect, it } from 'vitest';
import { TtlPolicy } from '../../gen/parley/v1/session_service_pb.ts';
import { delta, hanging, text } from '../models/endpoint.ts';
import { summary } from '../refusal.ts';
import { Answer, chatAbout, getRun, held, leftTurn, statusOf, told, useEndpoint } from './answers.ts';
import { getSession, say, seqsOf, sessionWith, textOf, turnsOf } from './turns.ts';

const { parley, endpoint } = useEndpoint();

/** A run that has said something, in a session of two turns and a question. */
async function answering(said = 'so far', session: object = {}) {
  endpoint.answersOnce(hanging([delta({ content: said })]));
  const sessionId = await sessionWith(parley, 2, session);
  const answer = await Answer.to(parley, { sessionId, messages: [{ content: 'hello' }] }).heard(said);
  return { sessionId, answer, runId: answer.runId, request: endpoint.requests.at(-1)! };
}

async function hungUp(request: { hungUp: AbortSignal }): Promise<void> {
  await expect.poll(() => request.hungUp.aborted, { timeout: 10_000 }).toBe(true);
}

describe.each<[what: string, left: number[], reset: (sessionId: string) => Promise<unknown>]>([
  ['cleared', [], (sessionId) => parley.chat.clearHistory({ sessionId })],
  [
    'rewound to before the question',
    [1, 2],
    (sessionId) => parley.chat.rewindHistory({ sessionId, toSeq: 2 }),
  ],
  ['truncated', [], (sessionId) => parley.sessions.truncateSession({ sessionId })],
])('when the session is %s, an answer that is being made', (_, left, reset) => {
  it('is cancelled, and nothing of it is kept', async () => {
    const { sessionId, answer, runId, request } = await answering();
    await reset(sessionId);
    expect(await seqsOf(parley, sessionId)).toEqual(left);
    expect(told(await answer.rest())).toEqual(['started', 'text so far', 'cancelled']);
    expect(leftTurn(answer.events)).toBeUndefined();
    const run = await getRun(parley, sessionId, runId);
    expect(statusOf(run)).toBe('CANCELLED');
    expect(run.turnSeq).toBe(0);
    await hungUp(request);
  });

  it('leaves room for the next', async () => {
    const { sessionId } = await answering();
    await reset(sessionId);
    endpoint.answersOnce(text('anew'));
    expect(await chatAbout(parley, sessionId, 'again')).toEqual(['started', 'text anew', 'completed STOP']);
    expect((await turnsOf(parley, sessionId)).slice(-2).map(textOf)).toEqual(['again', 'anew']);
    expect(await seqsOf(parley, sessionId)).toEqual([...left, 4, 5]);
  });
});

describe('an answer that is being made', () => {
  it('lives when a rewind changes nothing', async () => {
    const { written, letGo } = held('so far');
    endpoint.answersOnce(written);
    const sessionId = await sessionWith(parley, 2);
    const answer = await Answer.to(parley, { sessionId }).heard('so far');
    for (const toSeq of [2, 3, 4_294_967_295]) await parley.chat.rewindHistory({ sessionId, toSeq });
    expect(statusOf(await getRun(parley, sessionId, answer.runId))).toBe('RUNNING');
    letGo();
    expect(told(await answer.rest())).toEqual(['started', 'text so far', 'completed STOP']);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3]);
  });

  it('lives when the session is forked, which takes what was asked and not the run', async () => {
    const { written, letGo } = held('so far');
    endpoint.answersOnce(written);
    const sessionId = await sessionWith(parley, 2);
    const answer = await Answer.to(parley, { sessionId, messages: [{ content: 'hello' }] }).heard('so far');
    const { session } = await parley.sessions.forkSession({ sessionId });
    expect(session).toMatchObject({ activeRunId: '', turnCount: 3 });
    endpoint.answersOnce(text('in the fork'));
    const inFork = await chatAbout(parley, session!.sessionId, 'x');
    expect(inFork).toEqual(['started', 'text in the fork', 'completed STOP']);
    letGo();
    expect(told(await answer.rest())).toEqual(['started', 'text so far', 'completed STOP']);
    expect((await turnsOf(parley, session!.sessionId)).map(textOf)).toEqual([
      '1',
      '2',
      'hello',
      'x',
      'in the fork',
    ]);
  });

  it('lives when the session is changed', async () => {
    const { written, letGo } = held('so far');
    endpoint.answersOnce(written);
    const sessionId = await sessionWith(parley, 1);
    const answer = await Answer.to(parley, { sessionId }).heard('so far');
    await parley.configs.updateConfigs({ sessionId, configs: { model: 'other' } });
    await parley.sessions.updateSession({ sessionId, session: { displayName: 'new' } });
    await say(parley, sessionId, 'in between');
    letGo();
    expect(told(await answer.rest())).toEqual(['started', 'text so far', 'completed STOP']);
    expect(leftTurn(answer.events)).toMatchObject({ seq: 3, model: 'test' });
    expect(await getSession(parley, sessionId)).toMatchObject({ displayName: 'new', turnCount: 3 });
  });
});

describe('when its session is deleted, an answer that is being made', () => {
  it.each(['so far', 'x'.repeat(200_000)])('is cancelled and kept (%#)', async (said) => {
    const { sessionId, answer, runId, request } = await answering(said);
    await parley.sessions.deleteSession({ sessionId });
    expect(await lastOf(answer)).toMatch(/^(cancelled|NOT_FOUND SESSION_DELETED)$/);
    await parley.sessions.undeleteSession({ sessionId });
    const partial = (await turnsOf(parley, sessionId)).at(-1)!;
    expect(partial).toMatchObject({ seq: 4, runId });
    expect(textOf(partial)).toBe(said);
    expect(statusOf(await getRun(parley, sessionId, runId))).toBe('CANCELLED');
    await hungUp(request);
  });

  it.each(['so far', 'x'.repeat(200_000)])('for ever, is cancelled (%#)', async (said) => {
    const { sessionId, answer, request } = await answering(said);
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    expect(await lastOf(answer)).toMatch(/^(cancelled|NOT_FOUND SESSION_DELETED)$/);
    await hungUp(request);
  });

  it('for ever, and made anew, is nothing to the new one', async () => {
    const { sessionId, answer } = await answering();
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    await parley.sessions.createSession({ sessionId });
    expect(await lastOf(answer)).toMatch(/^(cancelled|NOT_FOUND SESSION_DELETED)$/);
    expect(await chatAbout(parley, sessionId, 'x')).toContain('completed STOP');
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2]);
  });
});

it('when its session expires, an answer that is being made is given up', async () => {
  const ttl = { seconds: 1n };
  const { answer, request } = await answering('so far', { ttl, ttlPolicy: TtlPolicy.FIXED });
  await hungUp(request);
  expect(await answer.end()).toBe('NOT_FOUND SESSION_DELETED');
  expect(told(answer.events)).toEqual(['started', 'text so far']);
}, 40_000);

/** The last event, or what the stream ends with instead. */
async function lastOf(answer: Answer): Promise<string> {
  return answer.rest().then(
    (events) => told(events).at(-1)!,
    (error: unknown) => summary(ConnectError.from(error)),
  );
}
