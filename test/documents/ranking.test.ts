import { expect, it } from 'vitest';
import { bm25, fused } from '../../src/documents/ranking.ts';

const hit = (chunk: string, count = 1, length = 10) => ({ chunk, count, length });
const corpus = { chunks: 10, words: 100 };
const order = (ranked: readonly { chunk: string }[]) => ranked.map(({ chunk }) => chunk).join('');

it('BM25 is what the formula says', () => {
  // ln(1 + (10 − 2 + 0.5) / (2 + 0.5)) · 3 · 2.2 / (3 + 1.2 · (0.25 + 0.75 · 20 / 10))
  const [first] = bm25([{ total: 2, hits: [hit('a', 3, 20)] }], corpus);
  expect(first!.score).toBeCloseTo((Math.log(1 + 8.5 / 2.5) * 3 * 2.2) / (3 + 1.2 * 1.75), 12);
});

it('a rare word counts more than a common one, a short passage more than a long one, twice more than once', () => {
  const rare = { total: 1, hits: [hit('a')] };
  const common = { total: 8, hits: [hit('b')] };
  expect(order(bm25([common, rare], corpus))).toBe('ab');
  expect(order(bm25([{ total: 2, hits: [hit('a', 1, 30), hit('b', 1, 10)] }], corpus))).toBe('ba');
  expect(order(bm25([{ total: 2, hits: [hit('a', 1), hit('b', 2)] }], corpus))).toBe('ba');
});

it('a word that all passages have is worth something still', () => {
  expect(bm25([{ total: 10, hits: [hit('a')] }], corpus)[0]!.score).toBeGreaterThan(0);
});

it('fusion puts first what two orders agree on, and takes in what one has', () => {
  const ranked = (chunks: string) => [...chunks].map((chunk) => ({ chunk, score: 1 }));
  const result = fused([ranked('abc'), ranked('dba')]);
  expect(order(result)).toBe('abdc');
  expect(result[0]!.score).toBeCloseTo(1 / 61 + 1 / 63, 12);
});
