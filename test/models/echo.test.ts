import { describe, expect, it } from 'vitest';
import type { Part } from '../../src/chat/content.ts';
import { Echo } from '../../src/models/echo.ts';
import type { AnswerPiece, Generation, PromptMessage } from '../../src/models/model.ts';
import { textOf } from './asking.ts';

function user(...parts: Part[]): PromptMessage {
  return { role: 'USER', name: '', parts };
}

function said(text: string): Part {
  return { kind: 'text', text };
}

function echo(messages: PromptMessage[], generation: Partial<Generation> = {}): Promise<AnswerPiece[]> {
  const { signal } = new AbortController();
  return Array.fromAsync(new Echo().answer(messages, { model: 'echo', ...generation }, signal));
}

describe('echo', () => {
  it('says the last message back, word by word, and what it took', async () => {
    expect(await echo([user(said('earlier words')), user(said('to be  or\nnot'))])).toEqual([
      { kind: 'text', text: 'to ' },
      { kind: 'text', text: 'be  ' },
      { kind: 'text', text: 'or\n' },
      { kind: 'text', text: 'not' },
      { kind: 'end', finishReason: 'STOP', usage: { inputTokens: 6, outputTokens: 4, totalTokens: 10 } },
    ]);
  });

  it.each(['  leading', 'trailing \n', ' \t ', '😀 👩‍👩‍👧', 'a', 'x'.repeat(100_000), 'w '.repeat(1000)])(
    'says all of it',
    async (text) => {
      const pieces = await echo([user(said(text))]);
      expect(textOf(pieces)).toBe(text);
      expect(pieces.filter((piece) => 'text' in piece && piece.text === '')).toEqual([]);
    },
  );

  it('says what a tool gave back when there is no text, and something when there is nothing', async () => {
    const result: Part = {
      kind: 'toolResult',
      toolCallId: 'a',
      name: 'now',
      content: 'noon',
      isError: false,
    };
    expect(textOf(await echo([{ role: 'TOOL', name: '', parts: [result] }]))).toBe('noon');
    const image: Part = { kind: 'image', source: { uri: 'https://a/b.png' }, mimeType: '', name: '' };
    expect(textOf(await echo([user(image)]))).toBe('...');
    expect(textOf(await echo([]))).toBe('...');
  });

  it('stops where it is told to', async () => {
    const pieces = await echo([user(said('one two three'))], { maxTokens: 2 });
    expect(textOf(pieces)).toBe('one two ');
    expect(pieces.at(-1)).toMatchObject({ finishReason: 'LENGTH', usage: { outputTokens: 2 } });
    expect((await echo([user(said('one two'))], { maxTokens: 2 })).at(-1)).toMatchObject({
      finishReason: 'STOP',
    });
  });

  it('falls silent when nobody wants to hear it', async () => {
    const stop = new AbortController();
    const answer = new Echo().answer([user(said('one two three'))], { model: 'echo' }, stop.signal);
    await answer.next();
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(answer.next()).rejects.toBe(reason);
  });

  it('lets others speak while it says a lot', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await echo([user(said('w '.repeat(200_000)))]);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
  });
});
