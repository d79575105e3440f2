import { describe, expect, it } from 'vitest';
import { FinishReason, TurnStatus } from '../../gen/parley/v1/content_pb.ts';
import {
  type Behaviour,
  CUT,
  callDelta,
  delta,
  ending,
  json,
  raw,
  refusal,
  text,
} from '../models/endpoint.ts';
import { chat, chatAbout, getRun, KEY, leftTurn, reasonOf, statusOf, told, useEndpoint } from './answers.ts';
import { seqsOf, sessionWith, textOf, turnsOf } from './turns.ts';

const { parley, endpoint } = useEndpoint();

/** Lets no time pass between attempts. */
const AT_ONCE = { 'retry-after': '0' };
const SECRET = 'words of the provider';

async function failed(behaviour: Behaviour) {
  endpoint.answers(behaviour);
  const sessionId = await sessionWith(parley, 0);
  const events = await chat(parley, { sessionId, messages: [{ content: 'hello' }] });
  const { event } = events.at(-1)!;
  if (event.case !== 'failed') throw new Error(`it ${event.case}`);
  const { run } = await parley.chat.getRun({ sessionId, runId: events[0]!.runId });
  return { sessionId, events, status: event.value.status!, run: run! };
}

describe('an endpoint that does not answer', () => {
  it.each<[what: string, code: number, reason: string, behaviour: Behaviour]>([
    ['refuses', 9, 'MODEL_REFUSED', refusal(400, AT_ONCE, { message: SECRET })],
    ['wants another key', 9, 'MODEL_UNAUTHORIZED', refusal(401, AT_ONCE, { message: `${SECRET} ${KEY}` })],
    ['forbids', 9, 'MODEL_UNAUTHORIZED', refusal(403, AT_ONCE, { message: SECRET })],
    ['does not know the model', 5, 'MODEL_NOT_FOUND', refusal(404, AT_ONCE, { message: SECRET })],
    ['was too slow', 4, 'MODEL_TIMEOUT', refusal(408, AT_ONCE, { message: SECRET })],
    ['has had enough', 8, 'MODEL_RATE_LIMITED', refusal(429, AT_ONCE, { message: SECRET })],
    ['is broken', 14, 'MODEL_UNAVAILABLE', refusal(500, AT_ONCE, { message: SECRET })],
    ['hangs up', 14, 'MODEL_UNAVAILABLE', { status: 'cut', written: [] }],
    [
      'sends a page',
      14,
      'MODEL_ANSWER_INVALID',
      { headers: { 'content-type': 'text/html' }, written: [raw(`<p>${SECRET}`)] },
    ],
    ['sends nothing', 14, 'MODEL_UNAVAILABLE', []],
  ])('because it %s leaves a failed run and no turn', async (_, code, reason, behaviour) => {
    const { sessionId, events, status, run } = await failed(behaviour);
    expect(told(events)).toEqual(['started', `failed ${reason}`]);
    expect(status.code).toBe(code);
    expect(reasonOf(status)).toBe(reason);
    expect(leftTurn(events)).toBeUndefined();
    expect(await seqsOf(parley, sessionId)).toEqual([1]);
    expect(statusOf(run)).toBe('FAILED');
    expect(run).toMatchObject({ error: status, turnSeq: 0, lastOffset: 2 });
    const everything = JSON.stringify([events, run], (_key, value) =>
      value instanceof Uint8Array
        ? Buffer.from(value).toString('latin1')
        : typeof value === 'bigint'
          ? `${value}`
          : value,
    );
    expect(everything).not.toMatch(SECRET);
    expect(everything).not.toMatch(KEY);
  });

  it('says when to come back', async () => {
    const { status } = await failed(refusal(429, { 'retry-after': '3600' }));
    expect(status.details.some(({ typeUrl }) => typeUrl.endsWith('google.rpc.RetryInfo'))).toBe(true);
  });

  it('and then does, has answered', async () => {
    endpoint.answersOnce(refusal(503, AT_ONCE));
    endpoint.answers(text('at last'));
    const sessionId = await sessionWith(parley, 0);
    expect(await chatAbout(parley, sessionId, 'x')).toEqual(['started', 'text at last', 'completed STOP']);
  });
});

describe('an answer that goes wrong in the middle', () => {
  const SAID = delta({ content: 'so far' });

  it.each<[what: string, reason: string, behaviour: Behaviour]>([
    ['is cut off', 'MODEL_UNAVAILABLE', [SAID, CUT]],
    ['ends without an end', 'MODEL_UNAVAILABLE', [SAID]],
    ['cannot be read', 'MODEL_ANSWER_INVALID', [SAID, raw('data: {"choices": [\n\n')]],
    ['is something else', 'MODEL_ANSWER_INVALID', [SAID, raw('data: [1, 2]\n\n')]],
    ['says it failed', 'MODEL_UNAVAILABLE', [SAID, { error: { message: SECRET } }]],
    ['says it is too much', 'MODEL_RATE_LIMITED', [SAID, { error: { message: SECRET, code: 429 } }]],
    [
      'calls nobody',
      'MODEL_ANSWER_INVALID',
      [SAID, callDelta(0, { arguments: '{}' }, 'a'), ...ending('tool_calls')],
    ],
  ])('since it %s leaves what was said', async (_, reason, behaviour) => {
    const { sessionId, events, status, run } = await failed(behaviour);
    expect(told(events)).toEqual(['started', 'text so far', `failed ${reason}`]);
    const [, partial] = await turnsOf(parley, sessionId);
    expect(leftTurn(events)).toEqual(partial);
    expect(partial).toMatchObject({
      status: TurnStatus.PARTIAL,
      finishReason: FinishReason.ERROR,
      model: 'test',
    });
    expect(textOf(partial!)).toBe('so far');
    expect(run).toMatchObject({ error: status, turnSeq: 2, lastOffset: 3 });
  });

  it('leaves a call that broke off', async () => {
    const { sessionId, events } = await failed([
      callDelta(0, { name: 'look', arguments: '{"at":' }, 'a'),
      CUT,
    ]);
    expect(told(events)).toEqual(['started', 'call 0 a look {"at":', 'failed MODEL_UNAVAILABLE']);
    const [, partial] = await turnsOf(parley, sessionId);
    expect(partial!.parts[0]!.content.value).toMatchObject({ id: 'a', name: 'look', arguments: '{"at":' });
  });

  it('is no obstacle to the next', async () => {
    const { sessionId } = await failed([SAID, CUT]);
    endpoint.answers(text('once more'));
    expect(await chatAbout(parley, sessionId, 'x')).toEqual(['started', 'text once more', 'completed STOP']);
    const { messages } = endpoint.requests.at(-1)!.body;
    expect(messages).toEqual([
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'so far' },
      { role: 'user', content: 'x' },
    ]);
  });
});

describe('an answer that is odd', () => {
  it.each<[what: string, written: Behaviour, answer: string[]]>([
    [
      'comes byte by byte',
      bytes(
        'data: {"choices":[{"delta":{"content":"h\u00e9 \u{1f600}"},"finish_reason":"stop"}]}\r\n\r\ndata: [DONE]\r\n\r\n',
      ),
      ['text h\u00e9 \u{1f600}', 'completed STOP'],
    ],
    [
      'has comments',
      [raw(': wait\n\n'), delta({ content: 'a' }), raw(':\n\n'), ...ending()],
      ['text a', 'completed STOP'],
    ],
    ['has no [DONE]', [delta({ content: 'a' }, 'stop')], ['text a', 'completed STOP']],
    ['says nothing', ending(), ['completed STOP']],
    [
      'was filtered',
      [delta({ content: 'a' }), ...ending('content_filter')],
      ['text a', 'completed CONTENT_FILTER'],
    ],
    ['was too long', [delta({ content: 'a' }), ...ending('length')], ['text a', 'completed LENGTH']],
    [
      'is no stream',
      json({ choices: [{ message: { content: 'whole' }, finish_reason: 'stop' }] }),
      ['text whole', 'completed STOP'],
    ],
  ])('since it %s is an answer', async (_, written, answer) => {
    endpoint.answers(written);
    const sessionId = await sessionWith(parley, 0);
    expect(await chatAbout(parley, sessionId, 'x')).toEqual(['started', ...answer]);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2]);
    const [, turn] = await turnsOf(parley, sessionId);
    expect(statusOf(await getRun(parley, sessionId, turn!.runId))).toBe('COMPLETED');
  });
});

function bytes(text: string) {
  return [...Buffer.from(text)].map((byte) => raw(Uint8Array.of(byte)));
}
