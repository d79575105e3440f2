import { describe, expect, it } from 'vitest';
import type { Session } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { failure, refusal, resource, summary } from '../refusal.ts';
import { getSession, numbers, seqsOf, sessionWith } from './turns.ts';

const parley = useParley();

async function fork(sessionId: string, newSessionId = ''): Promise<Session> {
  return (await parley.sessions.forkSession({ sessionId, newSessionId })).session!;
}

describe('the id of a fork', () => {
  it('is the one asked for', async () => {
    const newSessionId = newId();
    const source = await sessionWith(parley, 1);
    expect((await fork(source, newSessionId)).sessionId).toBe(newSessionId);
    expect(await seqsOf(parley, newSessionId)).toEqual([1]);
  });

  it('is made when none is asked for, another each time', async () => {
    const source = await sessionWith(parley, 1);
    const [one, two] = [await fork(source), await fork(source)];
    expect(one.sessionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set([source, one.sessionId, two.sessionId]).size).toBe(3);
  });

  it('that is taken, by a deleted session or by the source itself too, is ALREADY_EXISTS', async () => {
    const source = await sessionWith(parley, 1);
    const [live, deleted] = [await sessionWith(parley, 2), await sessionWith(parley, 2)];
    await parley.sessions.deleteSession({ sessionId: deleted });
    for (const taken of [live, deleted, source]) {
      const error = await failure(fork(source, taken));
      expect(summary(error)).toBe('ALREADY_EXISTS SESSION_ALREADY_EXISTS');
      expect(resource(error)).toBe(`parley.v1.Session ${taken}`);
    }
    expect(await seqsOf(parley, live)).toEqual([1, 2]);
  });

  it('goes to one of many who ask for it at once', async () => {
    const sources = await Promise.all(numbers(1, 6).map((turns) => sessionWith(parley, turns)));
    const newSessionId = newId();
    const outcomes = await Promise.allSettled(sources.map((source) => fork(source, newSessionId)));
    const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(made).toHaveLength(1);
    expect(await seqsOf(parley, newSessionId)).toEqual(numbers(1, made[0]!.turnCount));
    expect(await getSession(parley, newSessionId)).toEqual(made[0]);
  });

  it('must be an id', async () => {
    const call = fork(await sessionWith(parley, 1), 'a b');
    expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID new_session_id');
  });
});

it('a fork that is repeated under its request_id is one fork', async () => {
  const namespace = newId();
  await parley.sessions.createSession({ namespace, sessionId: 'source' });
  await parley.chat.appendTurns({ namespace, sessionId: 'source', messages: [{ content: 'x' }] });
  const ask = { namespace, sessionId: 'source', requestId: newId() };
  const answers = await Promise.all(numbers(1, 8).map(() => parley.sessions.forkSession(ask)));
  await parley.chat.appendTurns({ namespace, sessionId: 'source', messages: [{ content: 'y' }] });
  const { sessionId } = answers[0]!.session!;
  await parley.chat.appendTurns({ namespace, sessionId, messages: [{ content: 'z' }] });
  answers.push(await parley.sessions.forkSession(ask));
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect((await parley.sessions.listSessions({ namespace })).sessions).toHaveLength(2);
});

describe('the request_id of a fork', () => {
  it('may be that which the source was created under', async () => {
    const requestId = newId();
    const { session } = await parley.sessions.createSession({ requestId });
    const copy = await parley.sessions.forkSession({ sessionId: session!.sessionId, requestId });
    expect(copy.session!.sessionId).not.toBe(session!.sessionId);
  });

  it('counts for one source', async () => {
    const requestId = newId();
    const sources = [await sessionWith(parley, 1), await sessionWith(parley, 2)];
    const copies = [];
    for (const sessionId of sources) copies.push(await parley.sessions.forkSession({ sessionId, requestId }));
    expect(copies.map(({ session }) => session!.turnCount)).toEqual([1, 2]);
  });

  it('is refused for a fork to another id, which is not made', async () => {
    const ask = { sessionId: await sessionWith(parley, 1), requestId: newId() };
    const [first, second] = [newId(), newId()];
    await parley.sessions.forkSession({ ...ask, newSessionId: first });
    for (const newSessionId of [second, '']) {
      const call = parley.sessions.forkSession({ ...ask, newSessionId });
      expect(await refusal(call)).toBe('INVALID_ARGUMENT REQUEST_ID_REUSED');
    }
    expect(await refusal(parley.sessions.getSession({ sessionId: second }))).toMatch('NOT_FOUND');
  });
});
