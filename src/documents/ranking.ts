/** How well passages go with a search: scores and orders, from nothing but the session's own documents. */

/** A passage that was found, by the key the store knows it under. */
export interface Ranked {
  readonly chunk: string;
  /** Larger is better. */
  readonly score: number;
}

/** The passages of a session that have one word. */
export interface WordHits {
  /** How many have it; hits may be fewer. */
  readonly total: number;
  readonly hits: readonly {
    readonly chunk: string;
    /** How often it stands there. */
    readonly count: number;
    /** How many words the passage has. */
    readonly length: number;
  }[];
}

/** What is searched: how many passages, and how many words they have together. */
export interface Corpus {
  readonly chunks: number;
  readonly words: number;
}

// S. Robertson, H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009); the usual values.
const K1 = 1.2;
const B = 0.75;

/**
 * BM25. How rare a word is counts within the session alone: in Redis's own scores
 * it would be within the whole index, and they would tell of other tenants.
 */
export function bm25(found: readonly WordHits[], corpus: Corpus): Ranked[] {
  const scores = new Map<string, number>();
  const average = corpus.words / Math.max(1, corpus.chunks) || 1;
  for (const { total, hits } of found) {
    const rarity = Math.log(1 + Math.max(0, corpus.chunks - total + 0.5) / (total + 0.5));
    for (const { chunk, count, length } of hits) {
      const norm = K1 * (1 - B + (B * length) / average);
      scores.set(chunk, (scores.get(chunk) ?? 0) + (rarity * count * (K1 + 1)) / (count + norm));
    }
  }
  return sorted(scores);
}

/** G. Cormack, C. Clarke, S. Büttcher, "Reciprocal Rank Fusion outperforms Condorcet …" (SIGIR 2009): "k = 60". */
const K = 60;

/** One order out of several, by the ranks alone: scores of different kinds cannot be compared. */
export function fused(orders: readonly (readonly Ranked[])[]): Ranked[] {
  const scores = new Map<string, number>();
  for (const order of orders) {
    for (const [index, { chunk }] of order.entries()) {
      scores.set(chunk, (scores.get(chunk) ?? 0) + 1 / (K + index + 1));
    }
  }
  return sorted(scores);
}

/** Ties go by key, so that the same search gives the same answer. */
function sorted(scores: ReadonlyMap<string, number>): Ranked[] {
  return [...scores]
    .map(([chunk, score]) => ({ chunk, score }))
    .sort((one, other) => other.score - one.score || (one.chunk < other.chunk ? -1 : 1));
}
