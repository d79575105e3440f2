import { describe, expect, it } from 'vitest';
import { head, shortenedResult } from '../../src/chat/shorten.ts';
import { counter, result } from './past_turns.ts';

describe('the head of a text', () => {
  it.each(['some words and ', '語', '😀', 'x', '\n', '\u0001', ''])(
    'of %j has as many tokens as it may, and no more',
    (unit) => {
      const text = unit.repeat(5000);
      const start = head(text, 200, counter);
      expect(text.startsWith(start)).toBe(true);
      expect(start.isWellFormed()).toBe(true);
      expect(counter.count(start)).toBeLessThanOrEqual(200);
      if (unit !== '' && start.length < 1590) expect(counter.count(start)).toBeGreaterThan(150);
    },
  );

  it('is all of a short one', () => {
    expect(head('hello', 200, counter)).toBe('hello');
    expect(head('hello', 0, counter)).toBe('');
  });
});

describe('a tool result', () => {
  it('of a few words stays as it is', () => {
    const message = { role: 'TOOL', name: '', parts: [result('a')] } as const;
    expect(shortenedResult(message, 20, counter)).toBeUndefined();
  });
});
