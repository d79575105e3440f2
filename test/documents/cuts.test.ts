import { expect, it } from 'vitest';
import { cutRank, IN_WORD, PARAGRAPH, SENTENCE, WORD } from '../../src/documents/cuts.ts';

const NEVER = -1;

it.each([
  ['a paragraph', 'end.\n\n', 'Next', PARAGRAPH],
  ['a paragraph, with blanks in the empty line', 'end.\r\n \t\r\n', 'Next', PARAGRAPH],
  ['a line', 'end\n', 'next', SENTENCE],
  ['a sentence', 'It ended. ', 'Next', SENTENCE],
  ['a question in quotes', '“Did it end?” ', 'Yes', SENTENCE],
  ['a Chinese sentence', '结束了。', '下一个', SENTENCE],
  ['a Chinese sentence in quotes', '「结束了。」', '下一个', SENTENCE],
  ['a word', 'one ', 'two', WORD],
  ['a word and a comma', 'one, ', 'two', WORD],
  ['a word and a wide blank', 'one\u3000', 'two', WORD],
  ['a part of a number', '3.', '14', IN_WORD],
  ['a part of a word', 'wo', 'rd', IN_WORD],
  ['a Chinese character', '灯', '台', IN_WORD],
  ['a word, before the blank', 'one', ' two', NEVER],
  ['half of a character', '🚀'.slice(0, 1), '🚀'.slice(1), NEVER],
])('how good it is to cut behind %s', (_, before, after, rank) => {
  expect(cutRank(`Once. ${before}${after}`, 6 + before.length)).toBe(rank);
});

it('behind a sentence eight closing signs are looked over, and no more', () => {
  expect(cutRank(`Once.${')'.repeat(8)} x`, 14)).toBe(SENTENCE);
  expect(cutRank(`Once.${')'.repeat(9)} x`, 15)).toBe(WORD);
});

it('a text of blanks and closing signs is looked at in vain', () => {
  expect(cutRank(' x', 1)).toBe(WORD);
  expect(cutRank(')))x', 3)).toBe(IN_WORD);
});
