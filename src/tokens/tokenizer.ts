/**
 * Counts tokens, exactly as OpenAI's models do.
 *
 * A vocabulary takes a quarter of a second to load and 75–100 MB to keep, so it is loaded when something is first
 * counted with it: a server that has nothing to count does not pay.
 */
import { Slices } from '../slices.ts';
import type { Encoding } from './encodings.ts';
import { LONGEST_PIECE, pieces } from './pieces.ts';
import { StretchCounts } from './stretch_counts.ts';
import { WordCounts } from './word_counts.ts';

export interface Tokenizer {
  readonly encoding: Encoding;
  /** Counts at once, for however long it takes. `<|endoftext|>` and the like are text as any other. */
  count(text: string): number;
  /** Gives way to others every few milliseconds, and comes to the same number. */
  countLarge(text: string): Promise<number>;
}

/** What is counted in one go, in characters: prose of this length takes a fraction of a millisecond. */
export const AT_ONCE = 4096;

/** Loads the tokenizer of an encoding, once. */
export function tokenizer(encoding: Encoding): Promise<Tokenizer> {
  const known = loading.get(encoding);
  if (known) return known;
  const promise = load(encoding);
  loading.set(encoding, promise);
  promise.then(
    (one) => loaded.set(encoding, one),
    () => loading.delete(encoding), // the next one may have more luck
  );
  return promise;
}

/** The tokenizer of an encoding, for those who would rather not wait; undefined as long as it is not loaded. */
export function loadedTokenizer(encoding: Encoding): Tokenizer | undefined {
  return loaded.get(encoding);
}

const loading = new Map<Encoding, Promise<Tokenizer>>();
const loaded = new Map<Encoding, Tokenizer>();

async function load(encoding: Encoding): Promise<Tokenizer> {
  const patterns = await import('gpt-tokenizer/encodingParams/constants');
  const library =
    encoding === 'cl100k_base'
      ? await import('gpt-tokenizer/encoding/cl100k_base')
      : await import('gpt-tokenizer/encoding/o200k_base');
  // The library remembers words it had to work out, which pays (Chinese: 40 times), but 100,000 of them, each a
  // view into the text it was found in: a few hundred long messages would hold 50 MB. So few are kept, and none
  // of a long text's.
  library.setMergeCacheSize(REMEMBERED_WORDS);
  const forget = (text: string) => {
    if (text.length > REMEMBERED_LENGTH) library.clearMergeCache();
  };
  const words =
    encoding === 'cl100k_base' ? patterns.CL100K_TOKEN_SPLIT_REGEX : patterns.O200K_TOKEN_SPLIT_REGEX;
  const wordCounts = new WordCounts(words, (word) => library.countTokens(word, AS_TEXT));
  const counts = new StretchCounts((stretch) =>
    pieces(stretch).reduce((total, piece) => total + wordCounts.count(piece), 0),
  );
  return {
    encoding,
    count(text) {
      let total = 0;
      for (const slice of slicesOf(text)) total += counts.count(slice);
      forget(text);
      return total;
    },
    async countLarge(text) {
      const slices = new Slices();
      let total = 0;
      for (const slice of slicesOf(text)) {
        total += counts.count(slice);
        const due = slices.whenDue();
        if (due) await due;
      }
      forget(text);
      return total;
    },
  };
}

/** A text that is counted in one go is looked at by stretches only: no long run goes from one into the next. */
function slicesOf(text: string): string[] {
  return text.length <= LONGEST_PIECE ? [text] : pieces(text);
}

const AS_TEXT = { disallowedSpecial: new Set<string>() };
const REMEMBERED_WORDS = 4096;
/** Bounds what the remembered words hold on to: 8 MB of text at most. */
const REMEMBERED_LENGTH = 1024;
