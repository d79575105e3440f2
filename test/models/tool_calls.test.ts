import { describe, expect, it } from 'vitest';
import type { AnswerPiece } from '../../src/models/model.ts';
import type { JsonObject } from '../../src/structs/json.ts';
import { answerOf, ask, failureOf } from './asking.ts';
import { callDelta, delta, ending, startEndpoint, type Written } from './endpoint.ts';

/** The calls a model asks for, their arguments joined, and how its answer ends. */
async function called(written: Written[]) {
  const endpoint = await startEndpoint();
  endpoint.answers(written);
  const pieces = await ask(endpoint);
  const calls: { id: string; name: string; arguments: string }[] = [];
  for (const piece of pieces) {
    if (piece.kind !== 'toolCall') continue;
    const known = calls[piece.index];
    // Id and name come whole with the first piece, and calls in the order of their numbers.
    if (known) expect(piece).toMatchObject({ id: '', name: '' });
    else expect(piece.index).toBe(calls.length);
    if (known) known.arguments += piece.arguments;
    else calls.push({ id: piece.id, name: piece.name, arguments: piece.arguments });
  }
  return { pieces, calls, end: pieces.at(-1) as Extract<AnswerPiece, { kind: 'end' }> };
}

/** A chunk with a call as an endpoint of little care writes it. */
function loose(...calls: JsonObject[]): JsonObject {
  return delta({ tool_calls: calls });
}

const PARIS = { id: 'a', name: 'weather', arguments: '{"city":"Paris"}' };
const ROME = { id: 'b', name: 'weather', arguments: '{"city":"Rome"}' };

describe('tool calls', () => {
  it('come in fragments, id and name with the first', async () => {
    const { pieces } = await called([
      callDelta(0, { name: 'weather', arguments: '' }, 'a'),
      callDelta(0, { arguments: '{"city"' }),
      callDelta(0, { arguments: ':"Paris"}' }),
      ...ending('tool_calls'),
    ]);
    expect(pieces).toMatchObject([
      { kind: 'toolCall', index: 0, id: 'a', name: 'weather', arguments: '{"city"' },
      { kind: 'toolCall', index: 0, id: '', name: '', arguments: ':"Paris"}' },
      { kind: 'end', finishReason: 'TOOL_CALLS' },
    ]);
  });

  it.each<[string, Written[]]>([
    [
      'interleaved',
      [
        callDelta(0, { name: 'weather', arguments: '' }, 'a'),
        callDelta(1, { name: 'weather', arguments: '{"city":' }, 'b'),
        callDelta(0, { arguments: '{"city":"Par' }),
        callDelta(1, { arguments: '"Rome"}' }),
        callDelta(0, { arguments: 'is"}' }),
      ],
    ],
    [
      'numbered from anywhere',
      [callDelta(3, { ...PARIS, id: null }, 'a'), callDelta(7, { ...ROME, id: null }, 'b')],
    ],
    [
      'whole in one chunk, without numbers',
      [loose({ id: 'a', function: PARIS }, { id: 'b', function: ROME })],
    ],
    [
      'all numbered 0',
      [
        loose({ index: 0, id: 'a', function: PARIS }),
        loose({ index: 0, id: 'b', function: { name: 'weather', arguments: '{"city"' } }),
        loose({ index: 0, function: { arguments: ':"Rome"}' } }),
      ],
    ],
    [
      'with id and name one after the other',
      [
        loose({ index: 0, id: 'a' }),
        loose({ index: 0, function: { name: 'weather' } }),
        loose({ index: 0, function: { arguments: '{"city":"Paris"}' } }),
        loose({ index: 1, function: { name: 'wea' } }),
        loose({ index: 1, function: { name: 'ther' } }),
        loose({ index: 1, id: 'b' }),
        loose({ index: 1, function: { arguments: '{"city":"Rome"}' } }),
      ],
    ],
    [
      'with id and name in every fragment',
      [
        loose({ index: 0, id: 'a', function: { name: 'weather', arguments: '' } }),
        loose({ index: 0, id: 'a', function: { name: 'weather', arguments: '{"city":' } }),
        loose({ index: 0, id: 'a', function: { name: 'weather', arguments: '"Paris"}' } }),
        loose({ id: 'b', function: { name: 'weather', arguments: '{"city":' } }),
        loose({ id: 'b', function: { name: 'weather', arguments: '"Rome"}' } }),
      ],
    ],
    [
      'with arguments that are no text',
      [
        loose(
          { index: 0, id: 'a', function: { name: 'weather', arguments: { city: 'Paris' } } },
          { index: 1, id: 'b', function: { name: 'weather', arguments: { city: 'Rome' } } },
        ),
      ],
    ],
  ])('may come %s', async (_, written) => {
    const { calls, end } = await called([...written, ...ending('tool_calls')]);
    expect(calls).toHaveLength(2);
    expect(calls).toEqual(expect.arrayContaining([PARIS, ROME]));
    expect(end.finishReason).toBe('TOOL_CALLS');
  });

  it('get an id of their own where the endpoint gives none', async () => {
    const { calls } = await called([
      loose({ index: 0, function: { name: 'weather', arguments: '{"city":' } }),
      loose({ index: 0, function: { name: 'weather', arguments: '"Paris"}' } }),
      loose({ index: 0, function: { name: 'weather', arguments: '{"city":"Rome"}' } }),
      ...ending('tool_calls'),
    ]);
    expect(calls.map((call) => call.arguments)).toEqual([PARIS.arguments, ROME.arguments]);
    for (const { id } of calls) expect(id).toMatch(/^call_[\w-]{36}$/);
    expect(calls[0]!.id).not.toBe(calls[1]!.id);
  });

  it('that take nothing come with no arguments', async () => {
    const { calls } = await called([
      callDelta(0, { name: 'now', arguments: '' }, 'a'),
      callDelta(1, { name: 'here' }, 'b'),
      ...ending('tool_calls'),
    ]);
    expect(calls).toEqual([
      { id: 'a', name: 'now', arguments: '' },
      { id: 'b', name: 'here', arguments: '' },
    ]);
  });

  it('make an answer end by TOOL_CALLS, whatever the endpoint calls it, unless it was cut', async () => {
    const call = callDelta(0, { name: 'now', arguments: '{' }, 'a');
    expect((await called([call, ...ending('stop')])).end.finishReason).toBe('TOOL_CALLS');
    expect((await called([call, ...ending('length')])).end.finishReason).toBe('LENGTH');
  });

  it('may have the form they had before there were several', async () => {
    const { calls } = await called([
      delta({ function_call: { name: 'weather', arguments: '' } }),
      delta({ function_call: { arguments: '{"city":"Paris"}' } }),
      ...ending('function_call'),
    ]);
    expect(calls).toEqual([{ ...PARIS, id: expect.stringMatching(/^call_/) }]);
  });

  it('have arguments in whole characters', async () => {
    const { pieces } = await called([
      callDelta(0, { name: 'say', arguments: '{"a":"\ud83d' }, 'a'),
      callDelta(0, { arguments: '\ude00"}' }),
      ...ending('tool_calls'),
    ]);
    expect(pieces).toMatchObject([{ arguments: '{"a":"' }, { arguments: '😀"}' }, {}]);
  });

  it.each<[string, Written[]]>([
    ['more than a hundred', Array.from({ length: 101 }, (_, n) => callDelta(n, { name: 'a' }, `id${n}`))],
    ['a name longer than callers could say it', [callDelta(0, { name: 'n'.repeat(257) }, 'a')]],
    ['a name that never ends', Array.from({ length: 65 }, (_, n) => callDelta(0, { name: `${n}nam` }, 'a'))],
    ['an id longer than callers could say it', [callDelta(0, { name: 'a' }, 'i'.repeat(257))]],
  ])('are refused: %s', async (_, written) => {
    const endpoint = await startEndpoint();
    endpoint.answers([...written, ...ending('tool_calls')]);
    const { error } = await failureOf(answerOf(endpoint));
    expect(error.reason).toBe('MODEL_ANSWER_INVALID');
  });

  it('may be a hundred, with names and ids of 256 characters', async () => {
    const { calls } = await called([
      ...Array.from({ length: 100 }, (_, n) =>
        callDelta(n, { name: 'n'.repeat(256) }, `${n}`.padEnd(256, 'i')),
      ),
      ...ending('tool_calls'),
    ]);
    expect(calls).toHaveLength(100);
  });
});
