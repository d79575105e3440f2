import { expect, it } from 'vitest';
import { ask, textOf } from './asking.ts';
import { startEndpoint, text } from './endpoint.ts';

it('streams an answer word by word', async () => {
  const endpoint = await startEndpoint();
  endpoint.answers(text('to be or not to be'));
  const pieces = await ask(endpoint);
  expect(pieces.filter(({ kind }) => kind === 'text')).toHaveLength(6);
  expect(textOf(pieces)).toBe('to be or not to be');
  expect(pieces.at(-1)).toEqual({
    kind: 'end',
    finishReason: 'STOP',
    usage: { inputTokens: 9, outputTokens: 5, totalTokens: 14 },
  });
});
