import { describe, expect, it } from 'vitest';
import { newId, useParley } from '../harness.ts';
import { told } from './answers.ts';
import { Talk } from './conversation.ts';
import { seqsOf, sessionWith } from './turns.ts';

const parley = useParley();

describe('a conversation is refused', () => {
  it('that does not begin with open', async () => {
    const sessionId = await sessionWith(parley, 0);
    const message = { case: 'message' as const, value: { content: 'x' } };
    for (const input of [message, { case: 'cancel' as const, value: {} }])
      expect(await new Talk(parley, { sessionId, input }).end()).toBe('INVALID_ARGUMENT FIELD_INVALID open');
    expect(await seqsOf(parley, sessionId)).toEqual([]);
  });

  it('that says nothing at all', async () => {
    expect(await new Talk(parley).close().end()).toBe('INVALID_ARGUMENT FIELD_INVALID open');
    expect(await new Talk(parley, { sessionId: 's' }).end()).toMatch(/^INVALID_ARGUMENT FIELD_INVALID/);
  });

  it('without a session, or with none there is', async () => {
    expect(await Talk.open(parley, '').end()).toBe('INVALID_ARGUMENT FIELD_INVALID session_id');
    expect(await Talk.open(parley, 'a b').end()).toBe('INVALID_ARGUMENT FIELD_INVALID session_id');
    expect(await Talk.open(parley, newId()).say('x').end()).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });

  it.each([
    ['open.participant_id', { participantId: 'a b' }],
    ['open.request_id', { requestId: 'x'.repeat(121) }],
    ['open.concurrency', { concurrency: 9 as never }],
    ['open.generation.temperature', { generation: { temperature: Number.NaN } }],
  ])('when %s is wrong', async (field, open) => {
    const sessionId = await sessionWith(parley, 0);
    expect(await Talk.open(parley, sessionId, open).end()).toBe(`INVALID_ARGUMENT FIELD_INVALID ${field}`);
  });

  it('whose agent is not there', async () => {
    const sessionId = await sessionWith(parley, 0);
    expect(await Talk.open(parley, sessionId, { participantId: 'eve' }).say('x').end()).toBe(
      'NOT_FOUND PARTICIPANT_NOT_FOUND',
    );
  });
});

describe('a conversation ends', () => {
  it('at a message that is none, after the answers before it', async () => {
    const sessionId = await sessionWith(parley, 0);
    const talk = Talk.open(parley, sessionId).say('one');
    await talk.answer();
    expect(await talk.say('').end()).toMatch(/^INVALID_ARGUMENT FIELD_INVALID message/);
    expect(told(talk.events)).toEqual(['started', 'text one', 'completed STOP']);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2]);
  });

  it('at input that is nothing', async () => {
    const talk = Talk.open(parley, await sessionWith(parley, 0))
      .say('one')
      .send({});
    expect(await talk.end()).toMatch(/^INVALID_ARGUMENT FIELD_INVALID/);
    expect(told(talk.events)).toEqual(['started', 'text one', 'completed STOP']);
  });

  it('at a second open', async () => {
    const talk = Talk.open(parley, await sessionWith(parley, 0));
    expect(await talk.send({ input: { case: 'open', value: {} } }).end()).toBe(
      'INVALID_ARGUMENT FIELD_INVALID open',
    );
  });

  it('when its session is deleted', async () => {
    const sessionId = await sessionWith(parley, 0);
    const talk = Talk.open(parley, sessionId);
    await talk.say('one').answer();
    await parley.sessions.deleteSession({ sessionId });
    expect(await talk.say('two').end()).toBe('FAILED_PRECONDITION SESSION_DELETED');
  });
});
