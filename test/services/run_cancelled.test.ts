import { describe, expect, it } from 'vitest';
import { OnDisconnect } from '../../gen/parley/v1/chat_service_pb.ts';
import { FinishReason, TurnStatus } from '../../gen/parley/v1/content_pb.ts';
import { newId, startParley } from '../harness.ts';
import { delta, hanging } from '../models/endpoint.ts';
import { refusal } from '../refusal.ts';
import { Answer, chat, chatAbout, getRun, leftTurn, resume, statusOf, told, useEndpoint } from './answers.ts';
import { getSession, numbers, seqsOf, sessionWith, textOf, turnsOf } from './turns.ts';

const { parley, endpoint } = useEndpoint();
const HELLO = [{ content: 'hello' }];

/** A run that has said something and would never end. */
async function answering(said = 'so far', ask: object = {}) {
  const asked = endpoint.requests.length;
  endpoint.answersOnce(hanging(said === '' ? [] : [delta({ content: said })]));
  const sessionId = await sessionWith(parley, 0);
  const answer = Answer.to(parley, { sessionId, messages: HELLO, ...ask });
  await answer.next();
  await answer.heard(said);
  await expect.poll(() => endpoint.requests.length).toBe(asked + 1);
  return { sessionId, answer, runId: answer.runId, request: endpoint.requests.at(-1)! };
}

async function hungUp(request: { hungUp: AbortSignal }): Promise<void> {
  await expect.poll(() => request.hungUp.aborted, { timeout: 10_000 }).toBe(true);
}

describe('a run that is cancelled', () => {
  it('ends, keeps what was said, and hangs up on the endpoint', async () => {
    const { sessionId, answer, runId, request } = await answering();
    const { run } = await parley.chat.cancelChat({ sessionId, runId });
    expect(statusOf(run!)).toBe('CANCELLED');
    expect(run).toMatchObject({ turnSeq: 2, lastOffset: 3 });
    const events = await answer.rest();
    expect(told(events)).toEqual(['started', 'text so far', 'cancelled']);
    const [, partial] = await turnsOf(parley, sessionId);
    expect(leftTurn(events)).toEqual(partial);
    expect(textOf(partial!)).toBe('so far');
    expect(partial).toMatchObject({
      status: TurnStatus.PARTIAL,
      finishReason: FinishReason.CANCELLED,
      runId,
    });
    expect(partial!.tokenCount).toBeGreaterThan(0);
    expect((await getSession(parley, sessionId)).activeRunId).toBe('');
    await hungUp(request);
    expect(await chatAbout(parley, sessionId, 'x')).toContain('completed STOP');
  });

  it('before it said anything leaves no turn', async () => {
    const { sessionId, answer, runId, request } = await answering('');
    const { run } = await parley.chat.cancelChat({ sessionId, runId });
    expect(run).toMatchObject({ turnSeq: 0, lastOffset: 2 });
    expect(told(await answer.rest())).toEqual(['started', 'cancelled']);
    expect(leftTurn(answer.events)).toBeUndefined();
    expect(await seqsOf(parley, sessionId)).toEqual([1]);
    await hungUp(request);
  });

  it('after much was said keeps all of it', async () => {
    const said = 'x'.repeat(300_000);
    const { sessionId, answer, runId } = await answering(said);
    await parley.chat.cancelChat({ sessionId, runId });
    await answer.rest();
    expect(textOf(leftTurn(answer.events)!)).toBe(said);
  });

  it('by many at once ends once, and all of them are told so', async () => {
    const { sessionId, answer, runId } = await answering();
    const second = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
    const cancels = numbers(1, 12).map((n) =>
      (n % 2 ? parley : second).chat.cancelChat({ sessionId, runId }),
    );
    const runs = await Promise.all(cancels);
    await second.stop();
    for (const { run } of runs) expect(run).toEqual(runs[0]!.run);
    expect(statusOf(runs[0]!.run!)).toBe('CANCELLED');
    expect(told(await answer.rest())).toEqual(['started', 'text so far', 'cancelled']);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2]);
  });

  it('on another server ends where it runs', async () => {
    const { sessionId, answer, runId, request } = await answering();
    const second = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
    const { run } = await second.chat.cancelChat({ sessionId, runId });
    await second.stop();
    expect(statusOf(run!)).toBe('CANCELLED');
    expect(told(await answer.rest()).at(-1)).toBe('cancelled');
    await hungUp(request);
  });
});

it('a cancel in a session that is deleted is refused as any other write', async () => {
  const sessionId = await sessionWith(parley, 0);
  const [{ runId } = { runId: '' }] = await chat(parley, { sessionId, messages: HELLO });
  await parley.sessions.deleteSession({ sessionId });
  expect(await refusal(parley.chat.cancelChat({ sessionId, runId }))).toBe(
    'FAILED_PRECONDITION SESSION_DELETED',
  );
});

describe('a run that ended', () => {
  it('stays as it is, and is the answer', async () => {
    const sessionId = await sessionWith(parley, 0);
    const events = await chat(parley, { sessionId, messages: HELLO });
    const { runId } = events[0]!;
    const run = await getRun(parley, sessionId, runId);
    const before = await getSession(parley, sessionId);
    expect((await parley.chat.cancelChat({ sessionId, runId })).run).toEqual(run);
    expect(await resume(parley, { sessionId, runId })).toEqual(events);
    expect(await getSession(parley, sessionId)).toEqual(before);
  });

  it('is no reason to cancel the next', async () => {
    const first = await answering();
    const { sessionId, runId } = first;
    await parley.chat.cancelChat({ sessionId, runId });
    endpoint.answersOnce(hanging([delta({ content: 'next' })]));
    const next = await Answer.to(parley, { sessionId, messages: HELLO }).heard('next');
    expect(statusOf((await parley.chat.cancelChat({ sessionId, runId })).run!)).toBe('CANCELLED');
    expect(statusOf(await getRun(parley, sessionId, next.runId))).toBe('RUNNING');
    await parley.chat.cancelChat({ sessionId, runId: next.runId });
    await next.rest();
  });
});

describe('a cancel under a request_id', () => {
  it('repeated answers with the run', async () => {
    const { sessionId, runId } = await answering();
    const ask = { sessionId, runId, requestId: newId() };
    const first = await parley.chat.cancelChat(ask);
    expect(await parley.chat.cancelChat(ask)).toEqual(first);
    expect(statusOf(first.run!)).toBe('CANCELLED');
  });

  it('with another run is REQUEST_ID_REUSED, and that goes on', async () => {
    const { sessionId, runId } = await answering();
    const ask = { sessionId, runId, requestId: newId() };
    await parley.chat.cancelChat(ask);
    endpoint.answersOnce(hanging([delta({ content: 'next' })]));
    const next = await Answer.to(parley, { sessionId, messages: HELLO }).heard('next');
    const other = parley.chat.cancelChat({ ...ask, runId: next.runId });
    expect(await refusal(other)).toBe('INVALID_ARGUMENT REQUEST_ID_REUSED');
    expect(statusOf(await getRun(parley, sessionId, next.runId))).toBe('RUNNING');
    await parley.chat.cancelChat({ sessionId, runId: next.runId });
  });
});

describe('a client that leaves', () => {
  it('with CANCEL cancels its run', async () => {
    const { sessionId, answer, runId, request } = await answering('so far', {
      onDisconnect: OnDisconnect.CANCEL,
    });
    answer.leave();
    await hungUp(request);
    expect(told(await resume(parley, { sessionId, runId }))).toEqual(['started', 'text so far', 'cancelled']);
  });

  it('with CONTINUE does not, nor does one whose deadline passed', async () => {
    const { sessionId, answer, runId, request } = await answering();
    answer.leave();
    const late = parley.chat.resumeChat({ sessionId, runId }, { timeoutMs: 200 });
    expect(await refusal(Array.fromAsync(late))).toMatch(/^DEADLINE_EXCEEDED/);
    expect(statusOf(await getRun(parley, sessionId, runId))).toBe('RUNNING');
    expect(request.hungUp.aborted).toBe(false);
    await parley.chat.cancelChat({ sessionId, runId });
  });

  it('that only resumed a run does not cancel it', async () => {
    const { sessionId, answer, runId } = await answering('so far', { onDisconnect: OnDisconnect.CANCEL });
    const other = Answer.resumed(parley, { sessionId, runId });
    await other.next();
    other.leave();
    expect(statusOf(await getRun(parley, sessionId, runId))).toBe('RUNNING');
    await parley.chat.cancelChat({ sessionId, runId });
    await answer.rest();
  });
});
