import { describe, expect, it } from 'vitest';
import type { Part } from '../../src/chat/content.ts';
import type { Role } from '../../src/chat/turns.ts';
import { PRIMING, tokensOf } from '../../src/tokens/message_tokens.ts';
import { tokenizer } from '../../src/tokens/tokenizer.ts';

function message(role: Role, parts: readonly Part[], name = '') {
  return { role, name, parts };
}

const text = (words: string): Part => ({ kind: 'text', text: words });

describe('the tokens of a message', () => {
  it('are what OpenAI counts for the example of its cookbook', async () => {
    const counter = await tokenizer('o200k_base');
    const example = [
      message('SYSTEM', [
        text(
          'You are a helpful, pattern-following assistant that translates corporate jargon into plain English.',
        ),
      ]),
      message('SYSTEM', [text('New synergies will help drive top-line growth.')], 'example_user'),
      message('SYSTEM', [text('Things working well together will increase revenue.')], 'example_assistant'),
      message(
        'SYSTEM',
        [
          text(
            "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
          ),
        ],
        'example_user',
      ),
      message(
        'SYSTEM',
        [text("Let's talk later when we're less busy about how to do better.")],
        'example_assistant',
      ),
      message('USER', [
        text("This late pivot means we don't have time to boil the ocean for the client deliverable."),
      ]),
    ];
    const total = example.reduce((sum, each) => sum + (tokensOf(each, counter) as number), PRIMING);
    expect(total).toBe(124); // what the API reported for gpt-4o
  });

  it('leave out what is not sent, and count every part that is', async () => {
    const counter = await tokenizer('o200k_base');
    const empty = tokensOf(message('ASSISTANT', []), counter) as number;
    const of = (part: Part) => (tokensOf(message('ASSISTANT', [part]), counter) as number) - empty;
    expect(of({ kind: 'reasoning', text: 'a long thought' })).toBe(0);
    expect(of(text('hello there'))).toBe(2);
    expect(of({ kind: 'refusal', text: 'hello there' })).toBe(2);
    expect(
      of({ kind: 'toolResult', toolCallId: 'x', name: 'f', content: 'hello there', isError: false }),
    ).toBe(2);
    expect(of({ kind: 'toolCall', id: 'x', name: 'hello', arguments: '{}' })).toBe(9);
    const media = { mimeType: '', name: '' };
    expect(of({ kind: 'image', source: { uri: 'https://example.com/a.png' }, ...media })).toBe(765);
    expect(of({ kind: 'file', source: { data: new Uint8Array(1001) }, ...media })).toBe(251);
  });

  it('are there at once for a short one, and soon for a long one', async () => {
    const counter = await tokenizer('o200k_base');
    expect(tokensOf(message('USER', [text('hi')]), counter)).toBe(5);
    const long = tokensOf(message('USER', [text('hi '.repeat(5000))]), counter);
    expect(long).toBeInstanceOf(Promise);
    expect(await long).toBeGreaterThan(5000);
  });
});
