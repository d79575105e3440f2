/** An embedding model at an endpoint that speaks OpenAI's embeddings, asked by OpenAI's SDK as the other models are. */
import type { OpenAI } from 'openai';
import type { Embedder } from './embedder.ts';
import { OpenAiCall, PATIENCE, type Patience } from './openai_call.ts';
import { connect, type Endpoint, isConfigured } from './openai_client.ts';
import { EndpointErrors, type ModelFailed, shown } from './openai_errors.ts';

/** Texts of one request. */
const AT_ONCE = 64;
/** The longest answer that is read: sixty-four vectors of the largest dimension take a few megabytes. */
const LONGEST_ANSWER = 32 * 1024 * 1024;
/** What Redis indexes at most. */
const LARGEST_DIMENSION = 32_768;

export class OpenAiEmbedder implements Embedder {
  readonly model: string;
  readonly #endpoint: Endpoint;
  readonly #patience: Patience;
  readonly #errors: EndpointErrors;
  #client: OpenAI | undefined;
  /** Of all this model's vectors, as the first answer has it. */
  #dimension: number | undefined;

  constructor(endpoint: Endpoint, model: string, failed: ModelFailed, patience: Partial<Patience> = {}) {
    this.model = model;
    this.#endpoint = endpoint;
    this.#patience = { ...PATIENCE, ...patience };
    this.#errors = new EndpointErrors(endpoint.apiKey, model, failed);
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += AT_ONCE) {
      const batch = texts.slice(at, at + AT_ONCE);
      vectors.push(...this.#read(await this.#ask(batch, signal), batch.length));
    }
    const dimension = this.#dimension ?? vectors[0]?.length;
    if (vectors.some(({ length }) => length !== dimension)) {
      throw this.#errors.unreadable(`vectors of another dimension than ${dimension}`);
    }
    this.#dimension = dimension;
    return vectors;
  }

  /** The answer's body. */
  async #ask(input: string[], signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (!isConfigured(this.#endpoint)) throw this.#errors.unconfigured();
    this.#client ??= await connect(this.#endpoint);
    const client = this.#client;
    signal.throwIfAborted();
    const call = new OpenAiCall(this.#errors, this.#patience, signal);
    const decoder = new TextDecoder();
    let [text, whole] = ['', false];
    try {
      const body = { model: this.model, input, encoding_format: 'float' as const };
      await call.open((signal) => client.embeddings.create(body, { signal }).asResponse());
      for (let bytes = await call.read(); bytes; bytes = await call.read()) {
        text += decoder.decode(bytes, { stream: true });
        if (text.length > LONGEST_ANSWER) throw this.#errors.unreadable('an answer without an end');
      }
      whole = true;
      return text;
    } finally {
      call.close(whole);
    }
  }

  /** The vectors of an answer, by the places they name, or in order when they name none. */
  #read(text: string, count: number): Float32Array[] {
    const { data, error } = this.#parsed(text);
    if (error) throw this.#errors.ofObject(error);
    if (!Array.isArray(data) || data.length !== count) {
      throw this.#errors.unreadable(`not ${count} vectors: ${text.slice(0, 200)}`);
    }
    const vectors: Float32Array[] = [];
    for (const [at, item] of data.entries()) {
      const { embedding, index = at } = (item ?? {}) as { embedding?: unknown; index?: unknown };
      if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= count)
        throw this.#errors.unreadable(`a vector at ${shown(index)} of ${count}`);
      if (vectors[index as number]) throw this.#errors.unreadable(`two vectors at ${index}`);
      vectors[index as number] = this.#vector(embedding);
    }
    return vectors;
  }

  #vector(embedding: unknown): Float32Array {
    const isVector =
      Array.isArray(embedding) &&
      embedding.length > 0 &&
      embedding.length <= LARGEST_DIMENSION &&
      embedding.every((value) => typeof value === 'number');
    const vector = isVector ? Float32Array.from(embedding) : undefined;
    // Looked at as they are kept: what is too large for that has become infinite.
    if (!vector?.every(Number.isFinite)) throw this.#errors.unreadable('what is no vector of numbers');
    return vector;
  }

  #parsed(text: string): { data?: unknown; error?: unknown } {
    try {
      const answer: unknown = JSON.parse(text);
      if (typeof answer === 'object' && answer !== null) return answer;
    } catch {
      // Said below, as of any other answer that is none.
    }
    throw this.#errors.unreadable(`no JSON object: ${text.slice(0, 200)}`);
  }
}
