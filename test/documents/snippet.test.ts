import fc from 'fast-check';
import { expect, it } from 'vitest';
import { richest, SNIPPET_LENGTH, snippet } from '../../src/documents/snippet.ts';
import { type Occurrence, occurrences, searchedWords } from '../../src/documents/words.ts';
import { forAll } from '../property.ts';

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

/** As plainly as it can be said, however long it takes. */
function richestByDefinition(matches: readonly Occurrence[], length: number) {
  let best = { from: 0, to: 0, different: 0 };
  for (const [index, { from }] of matches.entries()) {
    const inside = matches.slice(index).filter(({ to }) => to - from <= length);
    const different = new Set(inside.map(({ word }) => word)).size;
    if (different > best.different) best = { from, to: inside.at(-1)!.to, different };
  }
  return best;
}

it('finds the stretch its definition says, in any script', () => {
  const piece = fc.constantFrom(
    'whale',
    'oil',
    'a',
    'Ship',
    '灯',
    '台',
    '灯台',
    'ไฟ',
    '👩🏽‍🚀',
    ' ',
    ' ',
    '. ',
  );
  const wanted = fc.array(piece, { minLength: 1, maxLength: 5 });
  forAll(
    [fc.array(piece, { maxLength: 60 }), wanted, fc.integer({ min: -5, max: 60 })],
    (pieces, query, length) => {
      const words = new Set(searchedWords(query.join(' ')));
      const matches = occurrences(pieces.join('')).filter(({ word }) => words.has(word));
      expect(richest(matches, length)).toEqual(richestByDefinition(matches, length));
    },
    2000,
  );
});

it('looks at each match a few times only, however many there are', () => {
  let looks = 0;
  const matches = Array.from({ length: 2000 }, (_, at) => ({
    word: at % 7,
    from: 3 * at,
    get to() {
      looks++;
      return 3 * at + 2;
    },
  }));
  expect(richest(matches, 260)).toMatchObject({ from: 0, to: 260 });
  expect(looks).toBeLessThan(5 * 2000);
});
