/** Makes of a document what is stored and searched: its chunks, their words and their vectors. */
import type { Embedder } from '../models/embedder.ts';
import { Slices } from '../slices.ts';
import { STORED_ENCODING } from '../tokens/encodings.ts';
import { tokenizer } from '../tokens/tokenizer.ts';
import { type Chunk, chunksOf } from './chunks.ts';
import { MAX_CHUNKS, type NewDocument, tooManyDocuments } from './document.ts';
import { KnownTokens } from './known_tokens.ts';
import { type Reading, read } from './reading.ts';
import type { Prepared, Vector } from './store.ts';
import { WordPlaces } from './word_places.ts';
import { wordTable } from './word_table.ts';
import { wordsOf } from './words.ts';

/** A word of the title counts as so many of the text. */
const TITLE_WEIGHT = 3;
/** What all documents together may take of a turn of the event loop, in milliseconds. */
const SLICE = 5;

/** Whoever may stop waiting; asked for its signal only where something is waited for. */
export interface Interruptible {
  readonly signal: AbortSignal;
}

const slices = new Slices(SLICE);
let known: KnownTokens | undefined;

/** `embedder` undefined: without vectors. */
export async function prepare(
  { title, content }: NewDocument,
  embedder: Embedder | undefined,
  caller: Interruptible,
): Promise<Prepared> {
  known ??= new KnownTokens(await tokenizer(STORED_ENCODING));
  const reading = await read(content, known, slices);
  const chunks = chunksOf(reading);
  if (chunks.length > MAX_CHUNKS) throw tooManyDocuments();
  const words = await wordsOfEach(title, reading, chunks);
  const vectors = embedder && (await vectorsOf({ title, content }, chunks, embedder, caller.signal));
  return { chunks, ...words, vectors };
}

async function wordsOfEach(title: string, reading: Reading, chunks: readonly Chunk[]) {
  const titled = wordsOf(title);
  const titleWords = Int32Array.from(Array.from({ length: TITLE_WEIGHT }, () => titled).flat());
  const lengths = chunks.map(({ firstWord, endWord }) => endWord - firstWord + titleWords.length);
  const wordCount = lengths.reduce((sum, length) => sum + length, 0);
  const places = new WordPlaces(wordCount);
  const words = reading.words.items;
  for (const [chunk, { firstWord, endWord }] of chunks.entries()) {
    places.add(chunk, titleWords);
    places.add(chunk, words.subarray(firstWord, endWord));
    const due = slices.whenDue();
    if (due) await due;
  }
  return { wordCount, wordTable: wordTable(places, lengths) };
}

/** A passage means more under its title. */
async function vectorsOf(
  { title, content }: Pick<NewDocument, 'title' | 'content'>,
  chunks: readonly Chunk[],
  embedder: Embedder,
  signal: AbortSignal,
): Promise<Vector[]> {
  const texts = chunks.map(({ from, to }) => content.slice(from, to));
  const titled = texts.map((text) => (title === '' ? text : `${title}\n\n${text}`));
  const vectors = await embedder.embed(titled, signal);
  return vectors.map((values) => ({ model: embedder.model, values }));
}
