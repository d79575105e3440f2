import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readWords, WordTable } from '../../src/documents/word_table.ts';
import { wordsOf } from '../../src/documents/words.ts';
import { Slices } from '../../src/slices.ts';
import { forAll } from '../property.ts';

/** Few different words, so that chunks share some, and any that there may be. */
const word = fc.oneof(fc.nat(20), fc.nat(2 ** 31 - 1));
const chunks = fc.array(fc.array(word, { maxLength: 40 }), { minLength: 1, maxLength: 20 });

interface Hit {
  readonly chunk: number;
  readonly count: number;
  readonly length: number;
}

function tableOf(words: readonly (readonly number[])[]): WordTable {
  return new WordTable(words.map((ofChunk) => Int32Array.from(ofChunk).sort()));
}

/** What a table says of a word, chunk by chunk. */
function found(table: WordTable, wanted: number): Hit[] {
  const hits: Hit[] = [];
  table.find(wanted, (chunk, count, length) => hits.push({ chunk, count, length }));
  return hits;
}

it('tells of every word which chunks have it, how often, and how long they are', () => {
  forAll([chunks, word], (words, another) => {
    const table = tableOf(words);
    expect(table.wordCount).toBe(words.flat().length);
    for (const wanted of new Set([...words.flat(), another])) {
      const expected = words.flatMap((ofChunk, chunk) => {
        const count = ofChunk.filter((each) => each === wanted).length;
        return count > 0 ? [{ chunk, count, length: ofChunk.length }] : [];
      });
      expect(found(table, wanted)).toEqual(expected);
    }
  });
});

it('of a document without words is empty', () => {
  expect(found(tableOf([[], []]), 5)).toEqual([]);
});

it('a word that stands everywhere is counted up to a bound, and the chunk is as long as it is', () => {
  expect(found(tableOf([[], Array.from({ length: 1000 }, () => 5)]), 5)).toEqual([
    { chunk: 1, count: 255, length: 1000 },
  ]);
});

it('a document is read chunk by chunk, each under its title, whose words count three times', async () => {
  const table = await readWords({ title: 'Storm', chunks: ['A storm came.', 'Calm.'] }, new Slices(5));
  const [storm, calm] = wordsOf('storm calm');
  expect(found(table, storm!)).toEqual([
    { chunk: 0, count: 4, length: 6 },
    { chunk: 1, count: 3, length: 4 },
  ]);
  expect(found(table, calm!)).toEqual([{ chunk: 1, count: 1, length: 4 }]);
});
