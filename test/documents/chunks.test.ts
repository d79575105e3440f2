import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { chunksOf } from '../../src/documents/chunks.ts';
import { KnownTokens } from '../../src/documents/known_tokens.ts';
import { Slices } from '../../src/slices.ts';
import { tokenizer } from '../../src/tokens/tokenizer.ts';

const counter = await tokenizer('o200k_base');
const known = new KnownTokens(counter);
const SENTENCE = 'The keeper of the light wrote a letter about the weather and the sea. ';

const TEXTS: Record<string, string> = {
  prose: SENTENCE.repeat(200),
  paragraphs: `${SENTENCE.repeat(4)}\n\n`.repeat(60),
  'one long line of letters': 'abcdefghij'.repeat(2000),
  'one letter again and again': 'a'.repeat(20_000),
  Chinese: '灯塔看守人写了一封关于天气和大海的信。'.repeat(300),
  emoji: '👩🏽‍🚀🚀'.repeat(1500),
  blanks: ' \n\t'.repeat(4000),
  'closing signs': ')'.repeat(200_000), // minutes, if each place were looked at for what it closes
  'random bytes as text': Array.from({ length: 8000 }, (_, n) =>
    String.fromCharCode((n * 7919) % 0xd7ff),
  ).join(''),
};

function cut(text: string) {
  return chunksOf(text, known, new Slices(5));
}

describe.each(Object.entries(TEXTS))('%s', (_, text) => {
  it('is covered from end to end, in chunks that overlap and are no larger than they may be', async () => {
    const chunks = await cut(text);
    expect(chunks[0]!.from).toBe(0);
    expect(chunks.at(-1)!.to).toBe(text.length);
    for (const [at, { from, to }] of chunks.entries()) {
      expect(to).toBeGreaterThan(from);
      expect(text.slice(from, to).isWellFormed()).toBe(true);
      expect(counter.count(text.slice(from, to))).toBeLessThanOrEqual(440); // pieces are counted one by one
      if (at === 0) continue;
      const before = chunks[at - 1]!;
      expect(from).toBeGreaterThan(before.from);
      expect(from).toBeLessThanOrEqual(before.to);
      expect(to).toBeGreaterThan(before.to);
      expect(from).toBeGreaterThanOrEqual(chunks[at - 2]?.to ?? 0); // only neighbours share something
      expect(counter.count(text.slice(from, before.to))).toBeLessThanOrEqual(70);
    }
  });
});

it('prose overlaps, and is cut where sentences end', async () => {
  const chunks = await cut(TEXTS.prose!);
  expect(chunks.length).toBeGreaterThan(5);
  for (const [at, { from, to }] of chunks.entries()) {
    expect(TEXTS.prose!.slice(from, to)).toMatch(/^The keeper.*sea\. $/);
    if (at > 0) expect(from).toBeLessThan(chunks[at - 1]!.to);
  }
});

it('a paragraph that ends near is where a chunk ends', async () => {
  const chunks = await cut(TEXTS.paragraphs!);
  for (const { from, to } of chunks) expect(TEXTS.paragraphs!.slice(from, to)).toMatch(/\n\n$/);
});

it('a short text is one chunk', async () => {
  expect(await cut('x')).toEqual([{ from: 0, to: 1 }]);
});

it('others have their turn while a long text is cut', async () => {
  const text = SENTENCE.repeat(60_000);
  let turns = 0;
  let longest = 0;
  const start = performance.now();
  const cutting = cut(text).then(() => true);
  for (let last = performance.now(); !(await Promise.race([cutting, setImmediate(false)])); turns++) {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  expect(turns).toBeGreaterThan(3);
  expect(longest).toBeLessThan((performance.now() - start) / 2);
});
