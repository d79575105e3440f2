import { countTokens as countCl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as countO200k } from 'gpt-tokenizer/encoding/o200k_base';
import { CL100K_TOKEN_SPLIT_REGEX, O200K_TOKEN_SPLIT_REGEX } from 'gpt-tokenizer/encodingParams/constants';
import { describe, expect, it, vi } from 'vitest';
import { WordCounts } from '../../src/tokens/word_counts.ts';
import { forAll } from '../property.ts';
import { anyText } from './any_text.ts';

describe('counting word by word', () => {
  it.each([
    ['o200k_base', O200K_TOKEN_SPLIT_REGEX, countO200k],
    ['cl100k_base', CL100K_TOKEN_SPLIT_REGEX, countCl100k],
  ])('comes to what the library counts, in %s', (_, words, countTokens) => {
    const whole = (text: string) => countTokens(text, { disallowedSpecial: new Set() });
    const counts = new WordCounts(words, whole);
    forAll([anyText], (text) => {
      expect(counts.count(text)).toBe(whole(text));
      expect(counts.count(text)).toBe(whole(text)); // now that the words are known
    });
  });

  it('asks for a word once, for one that is long each time, and forgets before they are too many', () => {
    const countWord = vi.fn((word: string) => word.length);
    const counts = new WordCounts(/\S+/g, countWord);
    expect(counts.count('two and two, and incomprehensible things')).toBe(35);
    expect(counts.count('two and two, and incomprehensible things')).toBe(35);
    expect(countWord.mock.calls.map(([word]) => word)).toEqual([
      'two',
      'and',
      'two,',
      'incomprehensible',
      'things',
      'incomprehensible',
    ]);
    for (let at = 0; at < 10_000; at++) counts.count(`w${at}`);
    countWord.mockClear();
    counts.count('two');
    expect(countWord).toHaveBeenCalledOnce();
  });
});
