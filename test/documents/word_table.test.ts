import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WordPlaces } from '../../src/documents/word_places.ts';
import { WordTable, wordTable } from '../../src/documents/word_table.ts';
import { forAll } from '../property.ts';

/** Few different words, so that chunks share some, and any that there may be. */
const word = fc.oneof(fc.nat(20), fc.nat(2 ** 31 - 1));
const chunks = fc.array(fc.array(word, { maxLength: 40 }), { minLength: 1, maxLength: 20 });

function tableOf(words: readonly (readonly number[])[]): string {
  const places = new WordPlaces(words.flat().length);
  for (const [chunk, ofChunk] of words.entries()) places.add(chunk, Int32Array.from(ofChunk));
  const lengths = words.map(({ length }) => length);
  return wordTable(places, lengths);
}

/** What a table says of a word, chunk by chunk. */
function found(table: string, wanted: number): object[] {
  const hits: { chunk: number; count: number; length: number }[] = [];
  new WordTable(table).find(wanted, (chunk, count, length) => hits.push({ chunk, count, length }));
  return hits.sort((one, other) => one.chunk - other.chunk);
}

it('tells of every word which chunks have it, how often, and how long they are', () => {
  forAll([chunks, word], (words, another) => {
    const table = tableOf(words);
    for (const wanted of new Set([...words.flat(), another])) {
      const expected = words.flatMap((ofChunk, chunk) => {
        const count = ofChunk.filter((each) => each === wanted).length;
        return count > 0 ? [{ chunk, count, length: ofChunk.length }] : [];
      });
      expect(found(table, wanted)).toEqual(expected);
    }
  });
});

it('is written in plain ASCII, of which Redis keeps a byte each', () => {
  forAll([chunks], (words) => {
    const table = tableOf(words);
    expect(Buffer.byteLength(table)).toBe(table.length);
  });
});

it('of a document without words is empty', () => {
  expect(found(tableOf([[], []]), 5)).toEqual([]);
});
