import { describe, expect, it } from 'vitest';
import { Concurrency, OnDisconnect } from '../../gen/parley/v1/chat_service_pb.ts';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { newId } from '../harness.ts';
import { delta, hanging, text } from '../models/endpoint.ts';
import { refusal } from '../refusal.ts';
import { Answer, chat, getRun, held, resume, statusOf, told, useEndpoint } from './answers.ts';
import { Talk } from './conversation.ts';
import { numbers, seqsOf, sessionWith, textOf, turnsOf } from './turns.ts';

const { parley, endpoint } = useEndpoint();
const ECHO = { generation: { model: 'echo' } };

describe('a conversation', () => {
  it('answers one message after the other, and ends when all is said and answered', async () => {
    const sessionId = await sessionWith(parley, 0);
    const talk = Talk.open(parley, sessionId, ECHO);
    for (const word of ['one', 'two', 'three'])
      expect(await talk.say(word).answer()).toEqual(['started', `text ${word}`, 'completed STOP']);
    expect(await talk.close().isOver()).toBe(true);
    expect((await turnsOf(parley, sessionId)).map(textOf)).toEqual([
      'one',
      'one',
      'two',
      'two',
      'three',
      'three',
    ]);
  });

  it('that says nothing ends when it is closed', async () => {
    expect(
      await Talk.open(parley, await sessionWith(parley, 0))
        .close()
        .isOver(),
    ).toBe(true);
  });

  it('is answered to its end though nothing more is said', async () => {
    const { written, letGo } = held('so far', ' and on');
    endpoint.answersOnce(written);
    const talk = Talk.open(parley, await sessionWith(parley, 0))
      .say('x')
      .close();
    await talk.until('so far');
    letGo();
    expect(await talk.answer()).toEqual(['text  and on', 'completed STOP']);
    expect(await talk.isOver()).toBe(true);
  });

  it('is answered by the agent and in the way that were named first', async () => {
    const participants = numbers(1, 2).map((n) => ({
      participantId: `bot${n}`,
      kind: ParticipantKind.AGENT,
    }));
    const sessionId = await sessionWith(parley, 0, { participants: participants as never });
    const talk = Talk.open(parley, sessionId, { participantId: 'bot2', generation: { temperature: 0.5 } });
    await talk.say('x').answer();
    expect(talk.events[0]!.event.value).toMatchObject({ participantId: 'bot2' });
    expect(endpoint.requests.at(-1)!.body).toMatchObject({ temperature: 0.5 });
    await talk.close().isOver();
  });

  it('goes on after an answer that failed', async () => {
    const talk = Talk.open(parley, await sessionWith(parley, 0));
    endpoint.answersOnce([delta({ content: 'a' })]);
    expect(await talk.say('x').answer()).toEqual(['started', 'text a', 'failed MODEL_UNAVAILABLE']);
    endpoint.answersOnce(text('b'));
    expect(await talk.say('y').answer()).toEqual(['started', 'text b', 'completed STOP']);
    await talk.close().isOver();
  });
});

describe('a cancel', () => {
  it('stops the answer, and the next message is answered', async () => {
    endpoint.answersOnce(hanging([delta({ content: 'so far' })]));
    const talk = Talk.open(parley, await sessionWith(parley, 0)).say('x');
    await talk.until('so far');
    expect(await talk.cancel().answer()).toEqual(['cancelled']);
    endpoint.answersOnce(text('next'));
    expect(await talk.say('y').answer()).toEqual(['started', 'text next', 'completed STOP']);
    await talk.close().isOver();
  });

  it('right behind a message stops its answer', async () => {
    for (const _ of numbers(1, 5)) {
      endpoint.answersOnce(hanging());
      const talk = Talk.open(parley, await sessionWith(parley, 0))
        .say('x')
        .cancel();
      expect((await talk.answer()).at(-1)).toBe('cancelled');
      expect(await talk.close().isOver()).toBe(true);
    }
    endpoint.answers(text('ok'));
  });

  it('of nothing does nothing', async () => {
    const talk = Talk.open(parley, await sessionWith(parley, 0), ECHO)
      .cancel()
      .cancel();
    expect(await talk.say('x').answer()).toContain('completed STOP');
    expect(await talk.cancel().say('y').answer()).toContain('completed STOP');
    expect(await talk.close().isOver()).toBe(true);
  });
});

describe('a message that comes while another is answered', () => {
  it('ends the conversation when it says REJECT, after the answer', async () => {
    const { written, letGo } = held('so far');
    endpoint.answersOnce(written);
    const sessionId = await sessionWith(parley, 0);
    const talk = Talk.open(parley, sessionId).say('x');
    await talk.until('so far');
    talk.say('y').say('z');
    // Refusals of others, the same way and later: by then these two are refused as well.
    for (const _ of numbers(1, 20))
      expect(await refusal(chat(parley, { sessionId }))).toBe('ABORTED RUN_IN_PROGRESS');
    letGo();
    expect(await talk.end()).toBe('ABORTED RUN_IN_PROGRESS');
    expect(told(talk.events)).toEqual(['started', 'text so far', 'completed STOP']);
    expect((await turnsOf(parley, sessionId)).map(textOf)).toEqual(['x', 'so far']);
  });

  it('waits when it says ENQUEUE', async () => {
    const { written, letGo } = held('so far');
    endpoint.answersOnce(written);
    const sessionId = await sessionWith(parley, 0);
    const talk = Talk.open(parley, sessionId, { concurrency: Concurrency.ENQUEUE }).say('x');
    await talk.until('so far');
    for (const n of numbers(1, 5)) {
      endpoint.answersOnce(text(`answer ${n}`));
      talk.say(`question ${n}`);
    }
    letGo();
    expect(await talk.answer()).toEqual(['completed STOP']);
    for (const n of numbers(1, 5))
      expect(await talk.answer()).toEqual(['started', `text answer ${n}`, 'completed STOP']);
    expect(await talk.close().isOver()).toBe(true);
    expect((await turnsOf(parley, sessionId)).slice(2).map(textOf)).toEqual(
      numbers(1, 5).flatMap((n) => [`question ${n}`, `answer ${n}`]),
    );
  });

  it('cancels it when it says INTERRUPT', async () => {
    endpoint.answersOnce(hanging([delta({ content: 'so far' })]));
    const sessionId = await sessionWith(parley, 0);
    const talk = Talk.open(parley, sessionId, { concurrency: Concurrency.INTERRUPT }).say('x');
    await talk.until('so far');
    endpoint.answersOnce(text('next'));
    expect(await talk.say('y').answer()).toEqual(['cancelled']);
    expect(await talk.answer()).toEqual(['started', 'text next', 'completed STOP']);
    expect((await turnsOf(parley, sessionId)).map(textOf)).toEqual(['x', 'so far', 'y', 'next']);
    await talk.close().isOver();
  });
});

describe('a client that leaves', () => {
  it.each([
    [OnDisconnect.CANCEL, 'cancelled'],
    [OnDisconnect.CONTINUE, 'completed STOP'],
  ])('(%i) leaves an answer that is %s', async (onDisconnect, end) => {
    const { written, letGo } = held('so far');
    endpoint.answersOnce(written);
    const sessionId = await sessionWith(parley, 0);
    const talk = await Talk.open(parley, sessionId, { onDisconnect }).say('x').until('so far');
    const request = endpoint.requests.at(-1)!;
    talk.leave();
    if (end === 'cancelled') await expect.poll(() => request.hungUp.aborted, { timeout: 10_000 }).toBe(true);
    letGo();
    const answer = await resume(parley, { sessionId, runId: talk.runId });
    expect(told(answer)).toEqual(['started', 'text so far', end]);
    expect(statusOf(await getRun(parley, sessionId, talk.runId))).toBe(end.split(' ')[0]!.toUpperCase());
  });
});

describe('a conversation under a request_id, repeated,', () => {
  it('gets the same answers, and goes on', async () => {
    const sessionId = await sessionWith(parley, 0);
    const open = { ...ECHO, requestId: newId() };
    const talk = Talk.open(parley, sessionId, open);
    for (const word of ['one', 'two']) await talk.say(word).answer();
    await talk.close().isOver();
    const again = Talk.open(parley, sessionId, open);
    for (const word of ['one', 'two']) await again.say(word).answer();
    expect(again.events).toEqual(talk.events);
    expect(await again.say('three').answer()).toEqual(['started', 'text three', 'completed STOP']);
    expect(await again.close().isOver()).toBe(true);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('joins the answer that was being given when the first was lost', async () => {
    const { written, letGo } = held('so far', ' and on');
    endpoint.answersOnce(written);
    const sessionId = await sessionWith(parley, 0);
    const open = { requestId: newId() };
    (await Talk.open(parley, sessionId, open).say('x').until('so far')).leave();
    const again = await Talk.open(parley, sessionId, open).say('x').until('so far');
    letGo();
    expect(await again.answer()).toEqual(['text  and on', 'completed STOP']);
    await again.close().isOver();
  });

  it('with another message is REQUEST_ID_REUSED', async () => {
    const sessionId = await sessionWith(parley, 0);
    const open = { ...ECHO, requestId: newId() };
    await Talk.open(parley, sessionId, open).say('one').answer();
    expect(await Talk.open(parley, sessionId, open).say('two').end()).toBe(
      'INVALID_ARGUMENT REQUEST_ID_REUSED',
    );
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2]);
  });
});

it('an answer of a conversation can be resumed by whoever knows its run', async () => {
  const { written, letGo } = held('so far', ' and on');
  endpoint.answersOnce(written);
  const sessionId = await sessionWith(parley, 0);
  const talk = await Talk.open(parley, sessionId).say('x').until('so far');
  const other = await Answer.resumed(parley, { sessionId, runId: talk.runId }).heard('so far');
  letGo();
  await talk.answer();
  expect(await other.rest()).toEqual(talk.events);
  await talk.close().isOver();
});
