import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chunkText, fieldsOf, textFields, wholeText } from '../../src/redis/document_text.ts';
import { forAll } from '../property.ts';

/** A text, and chunks of it, each of which may have the beginning of what the next one adds. */
const cut = fc
  .array(fc.tuple(fc.string({ minLength: 1, unit: 'binary' }), fc.nat(20)), { minLength: 1 })
  .map((pieces) => {
    const content = pieces.map(([own]) => own).join('');
    let from = 0;
    const chunks = pieces.map(([own], index) => {
      const [next = '', shared = 0] = pieces[index + 1] ?? [];
      const chunk = { from, to: from + own.length + Math.min(shared, next.length) };
      from += own.length;
      return chunk;
    });
    return { content, chunks };
  });

function stored(content: string, chunks: readonly { from: number; to: number }[]): Map<string, string> {
  const fields = textFields(content, chunks);
  return new Map(chunks.map((_, at) => [fields[2 * at]!, fields[2 * at + 1]!]));
}

it('comes back whole, and chunk by chunk', () => {
  forAll([cut], ({ content, chunks }) => {
    const fields = stored(content, chunks);
    expect(wholeText(fields, chunks.length)).toBe(content);
    for (const [index, { from, to }] of chunks.entries()) {
      const [own, next] = fieldsOf(index);
      expect(chunkText(fields.get(own)!, fields.get(next) ?? null)).toBe(content.slice(from, to));
    }
  });
});

it('is stored once', () => {
  const content = 'one two three four';
  const chunks = [
    { from: 0, to: 8 },
    { from: 4, to: 14 },
    { from: 8, to: 18 },
  ];
  expect([...stored(content, chunks).values()]).toEqual(['0 one ', '4 two ', '6 three four']);
});
