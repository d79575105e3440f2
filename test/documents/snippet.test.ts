import { expect, it } from 'vitest';
import { SNIPPET_LENGTH, snippet } from '../../src/documents/snippet.ts';
import { searchedWords } from '../../src/documents/words.ts';

const FILLER = 'People walked along the river and talked. ';
const shown = (text: string, query: string) => snippet(text, new Set(searchedWords(query)));

it('a short passage is shown whole', () => {
  expect(shown(' A beacon. ', 'beacon')).toBe('A beacon.');
});

it('shows the words where most of them stand, from word to word', () => {
  const text = `${FILLER.repeat(20)}whale here. ${FILLER.repeat(20)}The beacon burns whale oil. ${FILLER.repeat(20)}`;
  const part = shown(text, 'beacon whale oil');
  expect(part).toContain('The beacon burns whale oil.');
  expect(part).toMatch(/^…\S.*\S…$/);
  expect(part.length).toBeLessThanOrEqual(SNIPPET_LENGTH + 2);
  for (const word of part.replaceAll('…', '').split(' ')) expect(text.split(/\s/)).toContain(word);
});

it('at the beginning and at the end nothing is left out there', () => {
  expect(shown(`Whale. ${FILLER.repeat(20)}`, 'whale')).toMatch(/^Whale.*…$/);
  expect(shown(`${FILLER.repeat(20)}Whale.`, 'whale')).toMatch(/^….*Whale\.$/);
});

it('shows the beginning when none of the words is there', () => {
  expect(shown(FILLER.repeat(20), 'zebra')).toMatch(/^People.*…$/);
});

it.each(['👩🏽‍🚀', '灯台', 'x'])('%s without a blank is cut between characters', (unit) => {
  for (const shift of ['', 'a']) {
    const part = shown(`${shift}${unit.repeat(400)}whale${unit.repeat(400)}`, unit);
    expect(part.isWellFormed()).toBe(true);
    expect(part.length).toBeLessThanOrEqual(SNIPPET_LENGTH + 2);
  }
});
