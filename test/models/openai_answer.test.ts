import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AnswerPiece } from '../../src/models/model.ts';
import { LONGEST_ANSWER } from '../../src/models/model.ts';
import { answerOf, ask, failureOf, textOf } from './asking.ts';
import { CUT, DONE, delta, ending, json, raw, startEndpoint, text, usage, type Written } from './endpoint.ts';

/** What a model says of what its endpoint writes. */
async function said(written: Iterable<Written>): Promise<AnswerPiece[]> {
  const endpoint = await startEndpoint();
  endpoint.answers(written);
  return ask(endpoint);
}

async function failure(written: Iterable<Written>) {
  const endpoint = await startEndpoint();
  endpoint.answers(written);
  return failureOf(answerOf(endpoint));
}

function endOf(pieces: readonly AnswerPiece[]) {
  return pieces.find((piece) => piece.kind === 'end');
}

describe('an answer', () => {
  it('comes word by word, and ends with what it cost', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(text('to be'));
    expect(await ask(endpoint)).toEqual([
      { kind: 'text', text: 'to ' },
      { kind: 'text', text: 'be' },
      {
        kind: 'end',
        finishReason: 'STOP',
        usage: { inputTokens: 9, outputTokens: 5, totalTokens: 14 },
      },
    ]);
  });

  it('is passed on as it comes', async () => {
    const endpoint = await startEndpoint();
    const gate = Promise.withResolvers<void>();
    endpoint.answers(async function* () {
      yield delta({ content: 'first' });
      await gate.promise;
      yield delta({ content: 'second' });
      yield* ending();
    });
    const answer = answerOf(endpoint);
    expect((await answer.next()).value).toEqual({ kind: 'text', text: 'first' });
    gate.resolve();
    expect(textOf(await Array.fromAsync(answer))).toBe('second');
  });

  it.each(['reasoning_content', 'reasoning'])('may be thought about first, in %s', async (field) => {
    const pieces = await said([
      delta({ [field]: 'Hm', content: null }),
      delta({ [field]: ', well.' }),
      delta({ content: 'Yes.', [field]: null }),
      ...ending(),
    ]);
    expect(pieces.slice(0, -1)).toEqual([
      { kind: 'reasoning', text: 'Hm' },
      { kind: 'reasoning', text: ', well.' },
      { kind: 'text', text: 'Yes.' },
    ]);
  });

  it('may be a refusal', async () => {
    const pieces = await said([delta({ refusal: 'I will ' }), delta({ refusal: 'not.' }), ...ending()]);
    expect(textOf(pieces, 'refusal')).toBe('I will not.');
    expect(endOf(pieces)?.finishReason).toBe('STOP');
  });

  it.each([
    ['stop', 'STOP'],
    ['length', 'LENGTH'],
    ['content_filter', 'CONTENT_FILTER'],
    ['tool_calls', 'TOOL_CALLS'],
    ['function_call', 'TOOL_CALLS'],
    ['eos', 'STOP'],
  ])('that ends by %s ends by %s', async (reason, finishReason) => {
    expect(endOf(await said([delta({ content: 'a' }), ...ending(reason)]))?.finishReason).toBe(finishReason);
  });

  it('ends in whole characters however they are split', async () => {
    const smile = Buffer.from(`data: ${JSON.stringify(delta({ content: '😀 日本' }))}\n\n`);
    const bytes = [...smile].map((byte) => raw(Uint8Array.of(byte)));
    const pieces = await said([
      ...bytes,
      raw(`data: ${JSON.stringify(delta({ content: ' \ud83d' }))}\n\n`),
      delta({ content: '\ude00.' }),
      ...ending(),
    ]);
    expect(pieces.slice(0, -1)).toEqual([
      { kind: 'text', text: '😀 日本' },
      { kind: 'text', text: ' ' },
      { kind: 'text', text: '😀.' },
    ]);
  });

  it('comes through CRLF, comments, event types, and events that are cut and joined at random', async () => {
    const body = [
      ': OPENROUTER PROCESSING\r\n\r\n',
      `event: message\r\ndata: ${JSON.stringify(delta({ content: 'a' }))}\r\n\r\n`,
      `data:${JSON.stringify(delta({ content: 'b' }))}\n\n`,
      `: keep-alive\n\ndata: ${JSON.stringify(delta({ content: 'c' }, 'stop'))}\r\n\r\ndata: [DONE]\r\n\r\n`,
    ].join('');
    for (const size of [1, 50, 10_000]) {
      const pieces = body.match(new RegExp(`[^]{1,${size}}`, 'g'))!;
      expect(textOf(await said(pieces.map((piece) => raw(piece))))).toBe('abc');
    }
  });

  it('may be as long as a megabyte', async () => {
    const word = 'word '.repeat(200);
    const pieces = await said([...Array.from({ length: 1100 }, () => delta({ content: word })), ...ending()]);
    expect(textOf(pieces)).toBe(word.repeat(1100));
  });

  it('that never ends is cut where gRPC could deliver no more', async () => {
    const endpoint = await startEndpoint();
    const word = 'ä'.repeat(50_000);
    endpoint.answers(async function* () {
      for (;;) yield delta({ content: word });
    });
    const pieces = await ask(endpoint);
    const length = Buffer.byteLength(textOf(pieces));
    expect(length).toBeLessThanOrEqual(LONGEST_ANSWER);
    expect(length).toBeGreaterThan(LONGEST_ANSWER - 200_000);
    expect(endOf(pieces)?.finishReason).toBe('LENGTH');
    await expect.poll(() => endpoint.requests[0]!.hungUp.aborted).toBe(true);
  });

  it('that goes to and fro is cut where it has as many parts as a message may', async () => {
    const kinds = Array.from({ length: 1000 }, (_, n) =>
      delta({ [n % 2 ? 'reasoning' : 'content']: `${n} ` }),
    );
    const pieces = await said([...kinds, ...ending()]);
    expect(pieces.filter(({ kind }) => kind !== 'end')).toHaveLength(100);
    expect(endOf(pieces)).toMatchObject({ finishReason: 'LENGTH' });
  });

  it('may come whole, from a server that does not stream', async () => {
    const endpoint = await startEndpoint();
    const call = { id: 'a', type: 'function', function: { name: 'now', arguments: '{}' } };
    endpoint.answers(
      json({
        object: 'chat.completion',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: 'Let me see.', refusal: null, tool_calls: [call] },
            finish_reason: 'tool_calls',
          },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      }),
    );
    expect(await ask(endpoint)).toEqual([
      { kind: 'text', text: 'Let me see.' },
      { kind: 'toolCall', index: 0, id: 'a', name: 'now', arguments: '{}' },
      {
        kind: 'end',
        finishReason: 'TOOL_CALLS',
        usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
      },
    ]);
  });
});

describe('the end of an answer', () => {
  it.each<[string, Written[]]>([
    ['without [DONE]', [delta({}, 'stop')]],
    ['without [DONE], nor a blank line', [raw(`data: ${JSON.stringify(delta({}, 'stop'))}`)]],
    ['by [DONE] alone', [DONE]],
    ['by a connection that breaks once all is said', [delta({}, 'stop'), CUT]],
    ['with what comes after [DONE]', [...ending(), raw('data: {"choices":"?"}\n\n')]],
  ])('may come %s', async (_, written) => {
    const pieces = await said([delta({ content: 'all' }), ...written]);
    expect(textOf(pieces)).toBe('all');
    expect(pieces.filter(({ kind }) => kind === 'end')).toMatchObject([{ finishReason: 'STOP' }]);
  });

  it.each<[string, Written[]]>([
    ['ends', []],
    ['breaks off', [CUT]],
  ])('that does not come is MODEL_UNAVAILABLE when the stream %s', async (_, written) => {
    const { error, said } = await failure([delta({ content: 'half' }), ...written]);
    expect(error).toMatchObject({
      reason: 'MODEL_UNAVAILABLE',
      message: 'the model endpoint does not answer',
    });
    expect(textOf(said)).toBe('half');
  });

  it('is not waited for long when only the usage is missing', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(async function* () {
      yield delta({ content: 'all' }, 'stop');
      await new Promise(() => {});
    });
    expect(endOf(await ask(endpoint, { patience: { usage: 50 } }))).toEqual({
      kind: 'end',
      finishReason: 'STOP',
      usage: undefined,
    });
  });

  it('is not waited for long when the endpoint says everything but that', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(async function* () {
      yield delta({ content: 'all' }, 'stop');
      for (;;) {
        await sleep(20);
        yield raw(': still here\n\n');
      }
    });
    expect(endOf(await ask(endpoint, { patience: { usage: 100 } }))).toMatchObject({ finishReason: 'STOP' });
  });

  it('tells the usage that came last, if any can be made sense of', async () => {
    const growing = (tokens: number) => ({ ...delta({ content: 'a' }), usage: usage(3, tokens).usage! });
    const total = { inputTokens: 3, outputTokens: 2, totalTokens: 5 };
    expect(endOf(await said([growing(1), growing(2), delta({}, 'stop'), DONE]))?.usage).toEqual(total);
    const odd = [{ prompt_tokens: -1, completion_tokens: 2 }, { prompt_tokens: 1.5 }, 'many', []];
    for (const usage of odd) {
      expect(endOf(await said([{ ...delta({}, 'stop'), usage }, DONE]))?.usage).toBeUndefined();
    }
    const noTotal = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } };
    expect(endOf(await said([delta({}, 'stop'), noTotal, DONE]))?.usage).toEqual(total);
    expect(endOf(await said([delta({}, 'stop'), { usage: noTotal.usage }, DONE]))?.usage).toEqual(total);
  });
});

const DEEP = '['.repeat(100_000) + ']'.repeat(100_000);

describe('what cannot be read is MODEL_ANSWER_INVALID:', () => {
  it.each<[string, string]>([
    ['no JSON', '{"choices":'],
    ['nothing', 'null'],
    ['a list', '[]'],
    ['no choices', '{"object":"chat.completion.chunk"}'],
    ['choices that are none', '{"choices":{}}'],
    ['a choice that is none', '{"choices":["a"]}'],
    ['a delta that is none', '{"choices":[{"delta":"a"}]}'],
    ['content that is no text', '{"choices":[{"delta":{"content":1}}]}'],
    ['tool calls that are none', '{"choices":[{"delta":{"tool_calls":{}}}]}'],
    ['a tool call that is none', '{"choices":[{"delta":{"tool_calls":[1]}}]}'],
    ['a name that is none', '{"choices":[{"delta":{"tool_calls":[{"function":{"name":1}}]}}]}'],
    ['a chunk too deep to be shown', DEEP],
    ['choices too deep to be shown', `{"choices":[${DEEP}]}`],
    ['a delta too deep to be shown', `{"choices":[{"delta":${DEEP}}]}`],
    ['content too deep to be shown', `{"choices":[{"delta":{"content":${DEEP}}}]}`],
    ['tool calls too deep to be shown', `{"choices":[{"delta":{"tool_calls":{"a":${DEEP}}}}]}`],
    [
      'arguments too deep to be text',
      `{"choices":[{"delta":{"tool_calls":[{"function":{"name":"a","arguments":${DEEP}}}]}}]}`,
    ],
  ])('%s', async (_, chunk) => {
    const { error, said } = await failure([
      delta({ content: 'half' }),
      raw(`data: ${chunk}\n\n`),
      ...ending(),
    ]);
    expect(error).toMatchObject({
      reason: 'MODEL_ANSWER_INVALID',
      message: 'what the model endpoint answered cannot be read',
    });
    expect(textOf(said)).toBe('half');
  });

  it('a tool call that never gets a name', async () => {
    const call = delta({ tool_calls: [{ index: 0, id: 'a', function: { arguments: '{}' } }] });
    expect((await failure([call, ...ending('tool_calls')])).error.reason).toBe('MODEL_ANSWER_INVALID');
  });

  it('an event without an end', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(async function* () {
      yield raw('data: ');
      for (;;) yield raw('x'.repeat(100_000));
    });
    expect((await failureOf(answerOf(endpoint))).error.reason).toBe('MODEL_ANSWER_INVALID');
  });

  it('a page for people', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers({ headers: { 'content-type': 'text/html' }, written: [raw('<h1>Welcome</h1>')] });
    expect((await failureOf(answerOf(endpoint))).error.reason).toBe('MODEL_ANSWER_INVALID');
  });
});
