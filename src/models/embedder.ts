/** What Parley needs of an embedding model: texts go in, vectors come out. */

export interface Embedder {
  /** Tells vectors of one model from those of another. */
  readonly model: string;
  /** A vector for each text, in the same order, all of one dimension; MODEL_… when the model has none to give. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>;
}
