import fc from 'fast-check';
import { expect, it } from 'vitest';
import { knownText, rememberText } from '../../src/structs/known_texts.ts';
import { forAll } from '../property.ts';

it('knows what it was told, wherever the bytes lie', () => {
  const bytes = Buffer.from('..größe..');
  expect(knownText(bytes, 2, 9)).toBeUndefined();
  rememberText(bytes, 2, 9, 'größe');
  expect(knownText(bytes, 2, 9)).toBe('größe');
  expect(knownText(Buffer.from('größe'), 0, 7)).toBe('größe');
  expect(knownText(bytes, 2, 5)).toBeUndefined();
});

it('knows texts of up to 24 bytes', () => {
  for (const length of [24, 25]) {
    const bytes = Buffer.alloc(length, 'k');
    rememberText(bytes, 0, length, 'k'.repeat(length));
    expect(knownText(bytes, 0, length)).toBe(length === 24 ? 'k'.repeat(24) : undefined);
  }
});

it('knows the empty text', () => {
  expect(knownText(Buffer.alloc(0), 0, 0)).toBe('');
});

it('never takes one text for another', () => {
  // Few letters, so that many have the same ends and middle, and with them the same place.
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ß'), maxLength: 14 });
  forAll(
    [fc.array(text, { maxLength: 50 })],
    (texts) => {
      for (const text of texts) {
        const bytes = Buffer.from(text);
        expect([undefined, text]).toContain(knownText(bytes, 0, bytes.length));
        rememberText(bytes, 0, bytes.length, text);
        if (bytes.length <= 24) expect(knownText(bytes, 0, bytes.length)).toBe(text);
      }
    },
    500,
  );
});
