/** Makes of a document what is stored with it: its chunks, and what they mean. */
import type { Embedder } from '../models/embedder.ts';
import { Slices } from '../slices.ts';
import { STORED_ENCODING } from '../tokens/encodings.ts';
import { tokenizer } from '../tokens/tokenizer.ts';
import { type Chunk, chunksOf } from './chunks.ts';
import { MAX_CHUNKS, type NewDocument, tooManyDocuments } from './document.ts';
import { KnownTokens } from './known_tokens.ts';
import type { Prepared, Vector } from './store.ts';

/** Whoever may stop waiting; asked for its signal only where something is waited for. */
export interface Interruptible {
  readonly signal: AbortSignal;
}

/** Shared by all documents. */
const slices = new Slices();
let known: KnownTokens | undefined;

/** `embedder` undefined: without vectors. */
export async function prepare(
  { title, content }: NewDocument,
  embedder: Embedder | undefined,
  caller: Interruptible,
): Promise<Prepared> {
  known ??= new KnownTokens(await tokenizer(STORED_ENCODING));
  const chunks = await chunksOf(content, known, slices);
  if (chunks.length > MAX_CHUNKS) throw tooManyDocuments();
  const vectors = embedder && (await vectorsOf({ title, content }, chunks, embedder, caller.signal));
  return { chunks, vectors };
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
