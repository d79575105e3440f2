/**
 * Counts the tokens of a text word by word, and remembers what words took.
 *
 * Byte pair encoding never looks beyond a word, a word being what the encoding's own pattern cuts a text into. The
 * library does the same for three times as much: what it does around each word costs more than the word. Here most
 * words are found, as people use the same ones again and again.
 */

/** V8 copies substrings up to this length; a longer one is a view, and would hold on to the text it was found in. */
const LONGEST_REMEMBERED = 12;
/** A megabyte or less. */
const MOST_REMEMBERED = 8192;

export class WordCounts {
  readonly #words: RegExp;
  readonly #countWord: (word: string) => number;
  readonly #known = new Map<string, number>();

  /** `words`: what cuts a text into words, with the flag `g`; `countWord`: what one takes. */
  constructor(words: RegExp, countWord: (word: string) => number) {
    this.#words = words;
    this.#countWord = countWord;
  }

  count(text: string): number {
    let total = 0;
    for (const word of text.match(this.#words) ?? []) total += this.#known.get(word) ?? this.#learn(word);
    return total;
  }

  #learn(word: string): number {
    const tokens = this.#countWord(word);
    if (word.length > LONGEST_REMEMBERED) return tokens;
    if (this.#known.size === MOST_REMEMBERED) this.#known.clear(); // the ones in use are soon back
    this.#known.set(word, tokens);
    return tokens;
  }
}
