import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_PIECE, LONGEST_RUN, pieces } from '../../src/tokens/pieces.ts';
import { forAll } from '../property.ts';

const PROSE =
  'It’s been “a while”, they said in 2024 — and left.\n\n\tfunction f(a_b) { return a_b / 2; } // sì, però\n';

describe('the pieces of a text', () => {
  it('are the text, whatever it is made of', () => {
    const stretch = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc
        .tuple(
          fc.constantFrom(
            'a',
            'A',
            'é',
            '中',
            '😀',
            '\udc00',
            '\ud83d',
            ' ',
            '\n',
            '/\n',
            '\u3000 ',
            '!',
            '7',
          ),
          fc.nat(900),
        )
        .map(([unit, times]) => unit.repeat(times)),
    );
    forAll([fc.array(stretch, { maxLength: 8 })], (stretches) => {
      const text = stretches.join('');
      const cut = pieces(text);
      expect(cut.join('')).toBe(text);
      for (const piece of cut) expect(piece.length).toBeLessThanOrEqual(LONGEST_PIECE + 1);
    });
  });

  it('are one piece when it is short, or made of words as people write them', () => {
    expect(pieces('')).toEqual(['']);
    expect(pieces('a'.repeat(LONGEST_RUN))).toHaveLength(1);
    const page = PROSE.repeat(30);
    expect(page.length).toBeLessThan(LONGEST_PIECE);
    expect(pieces(page)).toEqual([page]);
  });

  it('do not part what words of Russian are made of', () => {
    const page = 'Съешь ещё этих мягких французских булок, да выпей чаю. '.repeat(50);
    expect(pieces(page)).toEqual([page]);
  });

  it.each(['a', 'É', '中', ' ', '\n', '/\n', ' \u3000', '!', '\udc00', '!\r\n/'])(
    'never have a run of %j that is felt',
    (unit) => {
      const cut = pieces(unit.repeat(3000));
      for (const piece of cut) expect(piece.length).toBeLessThanOrEqual(LONGEST_RUN + 1);
    },
  );

  it('leave no half of a character', () => {
    for (const piece of pieces(`a${'😀'.repeat(5000)}`)) expect(piece.isWellFormed()).toBe(true);
  });
});
