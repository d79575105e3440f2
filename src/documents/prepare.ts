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
  const cuts = await chunksOf(content, await tokenizer(STORED_ENCODING));
  if (cuts.length > MAX_CHUNKS) throw tooManyDocuments();
  const texts = cuts.map(({ from, to }) => content.slice(from, to));
  const vectors = embedder && (await vectorsOf(title, texts, embedder, caller.signal));
  const titled = wordsOf(title);
  const titleWords = Array.from({ length: TITLE_WEIGHT }, () => titled).flat();
  const chunks: NewChunk[] = [];
  for (const [index, text] of texts.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await nextTurn();
    chunks.push({ text, words: [...titleWords, ...wordsOf(text)], vector: vectors?.[index] });
  }
  return chunks;
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
