import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KnownTokens } from '../../src/documents/known_tokens.ts';
import { TokenScale, tokenScale } from '../../src/documents/token_scale.ts';
import { Slices } from '../../src/slices.ts';
import { tokenizer } from '../../src/tokens/tokenizer.ts';
import { forAll } from '../property.ts';

const counter = await tokenizer('o200k_base');
const known = new KnownTokens(counter);

const PROSE = 'The keeper of the light wrote a letter about the weather, and in 1872 another about the sea. ';
const CODE = 'const xs = items.map((x) => x.id ?? null);\n\tif (xs.length === 0) throw new Error(`none`);\n';

it.each([
  ['prose', PROSE.repeat(100)],
  ['code', CODE.repeat(100)],
  ['prose and code by turns', `${PROSE.repeat(4)}\n\n${CODE.repeat(5)}\n`.repeat(20)],
  ['Russian', 'Смотритель маяка написал письмо о погоде и о море. '.repeat(150)],
  ['Chinese', '灯塔看守人写了一封关于天气和大海的信。'.repeat(300)],
])('of %s nearly as many tokens are told as there are', async (_, text) => {
  const scale = await tokenScale(text, known, new Slices(5));
  for (const from of [0, 700, 2000]) {
    const tokens = counter.count(text.slice(from, scale.ahead(from, 400)));
    expect(tokens).toBeGreaterThan(320);
    expect(tokens).toBeLessThan(440);
  }
});

it('run by run nearly as many tokens are counted as there are, and never the same word twice differently', () => {
  for (const text of [PROSE, CODE, 'x'.repeat(300), '1234567 89', 'naïve café', '   \n', '']) {
    const exact = counter.count(text);
    const counted = known.count(text, 0, text.length);
    expect(Math.abs(counted - exact)).toBeLessThanOrEqual(2 + 0.2 * exact);
    expect(known.count(text, 0, text.length)).toBe(counted);
  }
});

it('so many tokens ahead, and as many back again', () => {
  const perCharacter = fc.array(fc.double({ min: 1 / 16, max: 4, noNaN: true }), {
    minLength: 2,
    maxLength: 8,
  });
  forAll([perCharacter, fc.nat(2000), fc.integer({ min: 1, max: 500 })], (each, from, tokens) => {
    const scale = new TokenScale(each);
    const to = scale.ahead(from, tokens);
    expect(to).toBeGreaterThanOrEqual(from);
    if (to >= each.length * 512) return; // the end came first
    // A place is a whole number: rounding by a character of 4 tokens is 64 of a sixteenth each.
    expect(Math.abs(scale.behind(to, tokens) - from)).toBeLessThanOrEqual(65);
  });
});
