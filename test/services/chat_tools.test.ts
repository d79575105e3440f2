import { describe, expect, it } from 'vitest';
import { FinishReason, Role } from '../../gen/parley/v1/content_pb.ts';
import { callDelta, delta, ending, hanging, text } from '../models/endpoint.ts';
import { Answer, chat, chatAbout, leftTurn, told, useEndpoint } from './answers.ts';
import { type MessageInit, sessionWith } from './turns.ts';

const { parley, endpoint } = useEndpoint();
const generation = { tools: [{ name: 'look' }, { name: 'wait' }] };

/** Two calls at once, in fragments that come in turns. */
const TWO_CALLS = [
  delta({ content: 'Let me see.' }),
  callDelta(0, { name: 'look', arguments: '' }, 'call-a'),
  callDelta(0, { arguments: '{"at":' }),
  callDelta(1, { name: 'wait', arguments: '{' }, 'call-b'),
  callDelta(0, { arguments: ' "it"}' }),
  callDelta(1, { arguments: '}' }),
  ...ending('tool_calls'),
];

async function asked() {
  endpoint.answersOnce(TWO_CALLS);
  const sessionId = await sessionWith(parley, 0);
  const events = await chat(parley, { sessionId, generation, messages: [{ content: 'what is it?' }] });
  return { sessionId, events };
}

function result(toolCallId: string, content: string, isError = false): MessageInit {
  const value = { toolCallId, content, isError };
  return { role: Role.TOOL, parts: [{ content: { case: 'toolResult', value } }] };
}

const CALLED = {
  role: 'assistant',
  content: 'Let me see.',
  tool_calls: [
    { id: 'call-a', type: 'function', function: { name: 'look', arguments: '{"at": "it"}' } },
    { id: 'call-b', type: 'function', function: { name: 'wait', arguments: '{}' } },
  ],
};

function sent(): { role: string; content: string; tool_call_id?: string }[] {
  return endpoint.requests.at(-1)!.body.messages;
}

describe('an answer that calls tools', () => {
  it('tells of the calls in pieces, and leaves them as parts', async () => {
    const { events } = await asked();
    expect(told(events).at(-1)).toBe('completed TOOL_CALLS');
    const calls = new Map<number, { id: string; name: string; arguments: string }>();
    for (const { event } of events) {
      if (event.case !== 'toolCallDelta') continue;
      const { index, id, name, arguments: text } = event.value;
      const call = calls.get(index);
      if (call) expect([id, name]).toEqual(['', '']);
      calls.set(index, call ? { ...call, arguments: call.arguments + text } : { id, name, arguments: text });
    }
    const whole = [
      { id: 'call-a', name: 'look', arguments: '{"at": "it"}' },
      { id: 'call-b', name: 'wait', arguments: '{}' },
    ];
    expect([...calls.values()]).toEqual(whole);
    const turn = leftTurn(events)!;
    expect(turn.finishReason).toBe(FinishReason.TOOL_CALLS);
    expect(turn.parts.map(({ content }) => content.value)).toEqual([
      'Let me see.',
      ...whole.map((call) => expect.objectContaining(call)),
    ]);
  });

  it('gets the results with the next question', async () => {
    const { sessionId } = await asked();
    endpoint.answersOnce(text('It is a hat.'));
    const messages = [result('call-b', 'waited'), result('call-a', 'a hat')];
    expect(told(await chat(parley, { sessionId, generation, messages }))).toEqual([
      'started',
      'text It is a hat.',
      'completed STOP',
    ]);
    const [question, called, ...results] = sent();
    expect([question, called]).toEqual([{ role: 'user', content: 'what is it?' }, CALLED]);
    expect(results.toSorted((a, b) => a.tool_call_id!.localeCompare(b.tool_call_id!))).toEqual([
      { role: 'tool', tool_call_id: 'call-a', content: 'a hat' },
      { role: 'tool', tool_call_id: 'call-b', content: 'waited' },
    ]);
  });

  it('gets errors as such', async () => {
    const { sessionId } = await asked();
    await parley.chat.appendTurns({
      sessionId,
      messages: [result('call-a', 'no light', true), result('call-b', '')],
    });
    await chat(parley, { sessionId, generation });
    expect(sent().slice(2)).toEqual([
      { role: 'tool', tool_call_id: 'call-a', content: 'Error: no light' },
      { role: 'tool', tool_call_id: 'call-b', content: '' },
    ]);
  });

  it('gets one for a call whose result never came', async () => {
    const { sessionId } = await asked();
    await chat(parley, {
      sessionId,
      generation,
      messages: [result('call-a', 'a hat'), { content: 'never mind' }],
    });
    const [, called, first, second, after, ...rest] = sent();
    expect(called).toEqual(CALLED);
    expect([first, second].map((message) => [message!.role, message!.tool_call_id])).toEqual([
      ['tool', 'call-a'],
      ['tool', 'call-b'],
    ]);
    expect(second!.content).toMatch(/no result|not .*(result|available)|interrupted/i);
    expect([after, ...rest]).toEqual([{ role: 'user', content: 'never mind' }]);
  });

  it('goes on though it was cancelled in the middle of a call', async () => {
    endpoint.answersOnce(hanging([callDelta(0, { name: 'look', arguments: '{"at":' }, 'call-a')]));
    const sessionId = await sessionWith(parley, 0);
    const answer = Answer.to(parley, { sessionId, generation, messages: [{ content: 'x' }] });
    while ((await answer.next()).event.case !== 'toolCallDelta');
    await parley.chat.cancelChat({ sessionId, runId: answer.runId });
    await answer.rest();
    await chatAbout(parley, sessionId, 'go on');
    const [, called, made, ...rest] = sent();
    const look = { id: 'call-a', type: 'function', function: { name: 'look', arguments: '{}' } };
    expect(called).toMatchObject({ role: 'assistant', tool_calls: [look] });
    expect(made).toMatchObject({ role: 'tool', tool_call_id: 'call-a' });
    expect(rest).toEqual([{ role: 'user', content: 'go on' }]);
  });

  it('is not sent results of calls that nobody made', async () => {
    const sessionId = await sessionWith(parley, 0);
    await chat(parley, { sessionId, messages: [{ content: 'x' }, result('call-z', 'what?')] });
    expect(sent().filter(({ role }) => role === 'tool')).toEqual([]);
  });
});
