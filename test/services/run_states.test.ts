import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { expect, it } from 'vitest';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { CUT, delta, refusal as refuses } from '../models/endpoint.ts';
import { refusal } from '../refusal.ts';
import { Answer, chat, getRun, held, reasonOf, statusOf, useEndpoint } from './answers.ts';
import { sessionWith, turnsOf } from './turns.ts';

const { parley, endpoint } = useEndpoint();
const HELLO = [{ content: 'hello' }];

function millis({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

it('a run that answers has begun and not ended, and says how far it is', async () => {
  const { written, letGo } = held('so far');
  endpoint.answersOnce(written);
  const participants = [{ participantId: 'bot', kind: ParticipantKind.AGENT }];
  const sessionId = await sessionWith(parley, 3, { participants: participants as never });
  const before = Date.now();
  const answer = Answer.to(parley, { sessionId, messages: HELLO, generation: { model: 'some' } });
  await answer.next();
  expect(await getRun(parley, sessionId, answer.runId)).toMatchObject({
    status: 1,
    lastOffset: expect.any(Number),
  });
  await answer.heard('so far');
  const run = await getRun(parley, sessionId, answer.runId);
  expect(statusOf(run)).toBe('RUNNING');
  expect(run).toMatchObject({
    sessionId,
    runId: answer.runId,
    model: 'some',
    participantId: 'bot',
    lastOffset: 2,
    turnSeq: 0,
  });
  expect(millis(run.createTime!)).toBeGreaterThan(before - 1000);
  expect(millis(run.createTime!)).toBeLessThan(Date.now() + 1000);
  expect([run.endTime, run.error]).toEqual([undefined, undefined]);
  letGo();
  await answer.rest();
  const ended = await getRun(parley, sessionId, answer.runId);
  const { endTime, ...same } = ended;
  expect(same).toEqual({ ...run, status: ended.status, lastOffset: 3, turnSeq: 5 });
  expect(statusOf(ended)).toBe('COMPLETED');
  expect(endTime).toEqual((await turnsOf(parley, sessionId)).at(-1)!.createTime);
});

it('a run that began with its question began when that was stored', async () => {
  const sessionId = await sessionWith(parley, 0);
  const [{ runId } = { runId: '' }] = await chat(parley, { sessionId, messages: HELLO });
  const [question] = await turnsOf(parley, sessionId);
  expect((await getRun(parley, sessionId, runId)).createTime).toEqual(question!.createTime);
});

it('a run that was cancelled has left what was said', async () => {
  const { written } = held('so far');
  endpoint.answersOnce(written);
  const sessionId = await sessionWith(parley, 0);
  const answer = await Answer.to(parley, { sessionId, messages: HELLO }).heard('so far');
  const { run: cancelled } = await parley.chat.cancelChat({ sessionId, runId: answer.runId });
  const run = await getRun(parley, sessionId, answer.runId);
  expect(run).toEqual(cancelled);
  expect(statusOf(run)).toBe('CANCELLED');
  expect(run).toMatchObject({ lastOffset: 3, turnSeq: 2 });
  expect(run.error).toBeUndefined();
  expect(millis(run.endTime!)).toBeGreaterThanOrEqual(millis(run.createTime!));
});

it('a run that failed says why, and what it left', async () => {
  const sessionId = await sessionWith(parley, 0);
  endpoint.answersOnce(refuses(401));
  const [{ runId: silent } = { runId: '' }] = await chat(parley, { sessionId, messages: HELLO });
  endpoint.answersOnce([delta({ content: 'so far' }), CUT]);
  const [{ runId: cut } = { runId: '' }] = await chat(parley, { sessionId, messages: HELLO });
  for (const [runId, reason, turnSeq] of [
    [silent, 'MODEL_UNAUTHORIZED', 0],
    [cut, 'MODEL_UNAVAILABLE', 3],
  ] as const) {
    const run = await getRun(parley, sessionId, runId);
    expect(statusOf(run)).toBe('FAILED');
    expect(run.turnSeq).toBe(turnSeq);
    expect(reasonOf(run.error)).toBe(reason);
    expect(run.endTime).toBeDefined();
  }
});

it('a run outlives its turns, and not its session', async () => {
  const sessionId = await sessionWith(parley, 0);
  const [{ runId } = { runId: '' }] = await chat(parley, { sessionId, messages: HELLO });
  const run = await getRun(parley, sessionId, runId);
  await parley.chat.clearHistory({ sessionId });
  await parley.sessions.truncateSession({ sessionId });
  expect(await getRun(parley, sessionId, runId)).toEqual(run);
  await parley.sessions.deleteSession({ sessionId, permanent: true });
  expect(await refusal(parley.chat.getRun({ sessionId, runId }))).toBe('NOT_FOUND SESSION_NOT_FOUND');
});

it('a fork has its turns and none of its runs', async () => {
  const sessionId = await sessionWith(parley, 0);
  const [{ runId } = { runId: '' }] = await chat(parley, { sessionId, messages: HELLO });
  const { session } = await parley.sessions.forkSession({ sessionId });
  const fork = session!.sessionId;
  expect((await turnsOf(parley, fork)).map((turn) => turn.runId)).toEqual(['', runId]);
  expect(await refusal(parley.chat.getRun({ sessionId: fork, runId }))).toBe('NOT_FOUND RUN_NOT_FOUND');
});
