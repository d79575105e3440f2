/** Texts that are hard to count. */
import fc from 'fast-check';

/** Blanks and breaks above all: where a word ends there depends on what comes after it. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({
    unit: fc.constantFrom(
      ' ',
      '  ',
      '\n',
      '\r',
      '\t',
      '/',
      '.',
      "'s",
      "'LL",
      'a',
      "don't",
      '\0',
      'The',
      '1',
      '12',
      'é',
      '語',
      '\u3000',
    ),
    maxLength: 60,
  }),
);
