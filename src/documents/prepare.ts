/** Makes of a document what is stored and searched: its chunks, their words and their vectors. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Embedder } from '../models/embedder.ts';
import { STORED_ENCODING } from '../tokens/encodings.ts';
import { tokenizer } from '../tokens/tokenizer.ts';
import { chunksOf } from './chunks.ts';
import { MAX_CHUNKS, type NewDocument, tooManyDocuments } from './document.ts';
import type { NewChunk, Vector } from './store.ts';
import { wordsOf } from './words.ts';

/** A word of the title counts as so many of the text. */
const TITLE_WEIGHT = 3;
/** Chunks looked at before other calls are. */
const AT_ONCE = 16;

/** Whoever may stop waiting; asked for its signal only where something is waited for. */
export interface Interruptible {
  readonly signal: AbortSignal;
}

/** `embedder` undefined: without vectors. */
export async function prepare(
  { title, content }: NewDocument,
  embedder: Embedder | undefined,
  caller: Interruptible,
): Promise<NewChunk[]> {
  const counter = await tokenizer(STORED_ENCODING);
  const cuts = await inLine(() => chunksOf(content, counter));
  if (cuts.length > MAX_CHUNKS) throw tooManyDocuments();
  const texts = cuts.map(({ from, to }) => content.slice(from, to));
  const vectors = embedder && (await vectorsOf(title, texts, embedder, caller.signal));
  const words = await inLine(() => wordsOfEach(title, texts));
  return texts.map((text, index) => ({ text, words: words[index]!, vector: vectors?.[index] }));
}

async function wordsOfEach(title: string, texts: readonly string[]): Promise<string[][]> {
  const titled = wordsOf(title);
  const titleWords = Array.from({ length: TITLE_WEIGHT }, () => titled).flat();
  const words: string[][] = [];
  for (const [index, text] of texts.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await nextTurn();
    words.push([...titleWords, ...wordsOf(text)]);
  }
  return words;
}

let line: Promise<unknown> = Promise.resolve();

/** One document after the other, with a turn for all else in between: many that come at once would keep Redis's answers waiting. */
function inLine<T>(work: () => Promise<T>): Promise<T> {
  const result = line.then(() => nextTurn()).then(work);
  line = result.catch(() => {});
  return result;
}

/** A passage means more under its title. */
async function vectorsOf(
  title: string,
  texts: readonly string[],
  embedder: Embedder,
  signal: AbortSignal,
): Promise<Vector[]> {
  const titled = texts.map((text) => (title === '' ? text : `${title}\n\n${text}`));
  const vectors = await embedder.embed(titled, signal);
  return vectors.map((values) => ({ model: embedder.model, values }));
}
