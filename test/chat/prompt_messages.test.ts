import { describe, expect, it } from 'vitest';
import { promptName, tokensOfEach, tokensOfSaid } from '../../src/chat/prompt_messages.ts';
import { call, counter, result, says } from './past_turns.ts';

describe('the tokens of a turn', () => {
  it('are those of the messages it becomes', () => {
    expect(tokensOfSaid(says('USER', 'hello there'), counter)).toBe(6);
    expect(tokensOfSaid({ ...says('USER', 'hello there'), participantId: 'ann' }, counter)).toBe(8);
    expect(tokensOfSaid(says('TOOL', result('a', 'hello there'), result('b', 'hello there')), counter)).toBe(
      12,
    );
    expect(tokensOfSaid(says('ASSISTANT', { kind: 'reasoning', text: 'hmm' }), counter)).toBe(0);
    const half = tokensOfSaid(says('ASSISTANT', call('a', '{"city": "Par')), counter);
    expect(half).toBe(tokensOfSaid(says('ASSISTANT', call('a', '{}')), counter));
  });

  it('are counted for many without keeping others waiting', async () => {
    const many = Array.from({ length: 300 }, (_, at) => says('USER', `${at} 語彙`.repeat(500)));
    let turns = 0;
    const others = setInterval(() => turns++, 1);
    const counts = await tokensOfEach(many, counter);
    clearInterval(others);
    expect(counts).toEqual(await Promise.all(many.map((each) => tokensOfSaid(each, counter))));
    expect(turns).toBeGreaterThan(2); // none, if it went on without a break
  });
});

describe('a name in a prompt', () => {
  it('has only characters providers take', () => {
    expect(promptName('Ann.Lee@example.com')).toBe('Ann_Lee_example_com');
    expect(promptName('é'.repeat(100))).toBe('_'.repeat(64));
    expect(promptName('')).toBe('');
  });
});
