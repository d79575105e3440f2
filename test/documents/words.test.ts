import { describe, expect, it } from 'vitest';
import { occurrences, searchedWords, wordsOf } from '../../src/documents/words.ts';

describe('a word finds', () => {
  it.each([
    ['storm', 'STORM'],
    ['storm', 'Storms!'],
    ['cafe', 'Café'],
    ['cafe', 'Cafe\u0301'],
    ['story', 'stories'],
    ['strasse', 'STRASSE'],
    ['ﬁre', 'fire'],
    ['２０', '20'],
    ['привет', 'Привет,'],
    ['灯台', '古い灯台の話'],
    ['灯', '古い灯台の話'],
    ['등대', '등대지기'],
    ['🚀', 'to the moon 🚀!'],
    ['日本', 'abc日本def'],
  ])('%s in %s', (word, text) => {
    expect(wordsOf(text)).toEqual(expect.arrayContaining(searchedWords(word)));
    expect(searchedWords(word)).not.toEqual([]);
  });
});

it.each([
  ['storm', 'strom'],
  ['glas', 'glass'],
  ['台灯', '灯台'],
  ['19', '20'],
])('%s does not find %s', (word, text) => {
  expect(wordsOf(text)).not.toEqual(expect.arrayContaining(searchedWords(word)));
});

it('a word is a hash of 31 bits, whatever a text is made of', () => {
  const text = `x} | @ns:{other} => * "a b" ~(c) -d %e% \\ $f ' , . < > é 灯台 🚀 \u0000 ${'long'.repeat(100)}`;
  for (const word of wordsOf(text)) {
    expect(Number.isInteger(word)).toBe(true);
    expect(word).toBeGreaterThanOrEqual(0);
    expect(word).toBeLessThan(2 ** 31);
  }
});

it('a word stands where it says', () => {
  const text = 'The Keeper’s 灯台は was lit 🚀';
  const shown = occurrences(text).map(({ from, to }) => text.slice(from, to));
  expect(shown).toEqual(['The', 'Keeper', 's', '灯', '台', '灯台', 'は', '台は', 'was', 'lit', '🚀']);
});

it('a text has the same words the second time', () => {
  for (const text of ['灯台', 'Stories', '灯']) expect(wordsOf(text)).toEqual(wordsOf(text));
  expect(wordsOf('灯台')).toHaveLength(3);
});

it('a question is searched for by what it is about', () => {
  expect(searchedWords('What does the beacon burn?')).toEqual(wordsOf('beacon burn'));
});

it('a question of common words alone is searched for by them', () => {
  expect(searchedWords('Who are you?')).toEqual(wordsOf('who are you'));
});

it('of a long text 64 different words are searched for', () => {
  expect(searchedWords(Array.from({ length: 500 }, (_, n) => `n${n} n${n}`).join(' '))).toHaveLength(64);
});
