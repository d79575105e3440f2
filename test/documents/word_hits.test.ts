import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { hitsOf } from '../../src/documents/word_hits.ts';
import { WordTable } from '../../src/documents/word_table.ts';

/** A document by the words of its chunks. */
function document(made: string, ...chunks: number[][]) {
  return { made, table: new WordTable(chunks.map((words) => Int32Array.from(words).sort())) };
}

it('tells of each word, in order, which chunks have it', async () => {
  const documents = [document('a', [1, 1, 2], [3]), document('b', [2, 1])];
  expect(await hitsOf([2, 1, 4], documents)).toEqual([
    {
      total: 2,
      hits: [
        { chunk: 'a/0', count: 1, length: 3 },
        { chunk: 'b/0', count: 1, length: 2 },
      ],
    },
    {
      total: 2,
      hits: [
        { chunk: 'a/0', count: 2, length: 3 },
        { chunk: 'b/0', count: 1, length: 2 },
      ],
    },
    { total: 0, hits: [] },
  ]);
});

it('of a word that nearly all chunks have, those that have it most often are enough', async () => {
  const chunks = Array.from({ length: 10_000 }, (_, at) => (at % 10 === 7 ? [5, 5] : [5]));
  const words = [5, ...Array.from({ length: 19 }, (_, at) => 100 + at)];
  const [hits] = await hitsOf(words, [document('a', ...chunks)]);
  expect(hits!.total).toBe(10_000);
  expect(hits!.hits).toHaveLength(1000);
  expect(hits!.hits.every(({ count }) => count === 2)).toBe(true);
});

it('others have their turn while many words are looked up, if only in one document', async () => {
  const words = Array.from({ length: 64 }, (_, at) => at);
  const large = document('a', ...Array.from({ length: 10_000 }, () => words));
  const looking = hitsOf(words, [large]).then(() => true);
  let turns = 0;
  for (; !(await Promise.race([looking, setImmediate(false)])); turns++);
  expect(turns).toBeGreaterThan(3); // none, if it went on without a break
});
