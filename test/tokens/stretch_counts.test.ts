import fc from 'fast-check';
import { countTokens as countCl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as countO200k } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, it, vi } from 'vitest';
import { StretchCounts } from '../../src/tokens/stretch_counts.ts';
import { forAll } from '../property.ts';
import { anyText } from './any_text.ts';

/** What people and models write: words, numbers, code, with what stands between them. */
const prose = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'the',
        'Tuesday',
        "don't",
        "DOG'S",
        'HTTPResponse',
        'Größe',
        'naïve',
        '包裹',
        '42',
        'x1F',
        '',
      ),
      fc.constantFrom(
        ' ',
        ', ',
        '. ',
        '  ',
        '\n',
        '\r\n  ',
        '/',
        '_',
        '(',
        '": ',
        "' ",
        '’',
        '\u00a0',
        '\0',
        '-',
      ),
    ),
    { maxLength: 30 },
  )
  .map((words) => words.flat().join(''));

describe('counting by stretches', () => {
  it.each([
    ['o200k_base', countO200k],
    ['cl100k_base', countCl100k],
  ])('comes to what the library counts, in %s', (_, countTokens) => {
    const whole = (text: string) => countTokens(text, { disallowedSpecial: new Set() });
    const counts = new StretchCounts(whole);
    forAll([fc.oneof(anyText, prose)], (text) => {
      expect(counts.count(text)).toBe(whole(text));
      expect(counts.count(text)).toBe(whole(text)); // now that the stretches are known
    });
  });

  it('asks for a short stretch once, for one that is long or more than bytes each time', () => {
    const asked = vi.fn((stretch: string) => stretch.length);
    const counts = new StretchCounts(asked);
    const text = "two and two, and and don't; incomprehensibly Привет\u0000a";
    for (let times = 0; times < 2; times++) expect(counts.count(text)).toBe(text.length);
    expect(asked.mock.calls.map(([stretch]) => stretch)).toEqual([
      ...['two', ' and', ' two', ', and', " don't", '; incomprehensibly', ' Привет\u0000a'],
      ...['; incomprehensibly', ' Привет\u0000a'],
    ]);
  });

  it.each([4, 8, 12, 16])('takes none for another, of %i characters', (length) => {
    const numbers = new Map(Array.from({ length: 60_000 }, (_, n) => [word(n).padStart(length, '0'), n]));
    const counts = new StretchCounts((stretch) => numbers.get(stretch)!);
    for (let times = 0; times < 2; times++) {
      for (const [stretch, n] of numbers) if (counts.count(stretch) !== n) expect.fail(stretch);
    }
  });

  it('takes a long one for no short one', () => {
    const counts = new StretchCounts((stretch) => stretch.length);
    expect(counts.count('qbcdefghijklmnop')).toBe(16);
    expect(counts.count('abcdefghijklmnopq')).toBe(17);
  });
});

/** A number in letters. */
function word(n: number): string {
  return n === 0 ? '' : word(Math.floor(n / 26)) + String.fromCharCode(0x61 + (n % 26));
}
