/**
 * Cuts a document into chunks that a search can give back and a model can read:
 * of about as many tokens, and overlapping, so that what stands at a cut stands
 * whole in one of them. Cuts are made where a paragraph ends if one ends near,
 * else a sentence, else a word.
 */
import type { Slices } from '../slices.ts';
import { cutRank, PARAGRAPH, SENTENCE } from './cuts.ts';
import type { KnownTokens } from './known_tokens.ts';
import { tokenScale } from './token_scale.ts';

/** About the most tokens of a chunk. */
const CHUNK_TOKENS = 400;
/** About the most tokens two neighbours share. */
const OVERLAP_TOKENS = 60;
/** From so many tokens on the end of a paragraph is near enough. */
const NEARLY_FULL = 300;

/** A stretch of a text. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
}

/** The chunks of a text, in order. Gives way to others meanwhile. */
export async function chunksOf(text: string, tokens: KnownTokens, slices: Slices): Promise<Chunk[]> {
  const scale = await tokenScale(text, tokens, slices);
  const chunks: Chunk[] = [];
  for (let from = 0; ; ) {
    const most = scale.ahead(from, CHUNK_TOKENS);
    if (most >= text.length) {
      chunks.push({ from, to: text.length });
      return chunks;
    }
    const least = scale.ahead(from, NEARLY_FULL);
    const highest = text.slice(least, most).includes('\n') ? PARAGRAPH : SENTENCE;
    const to = bestCut(text, most, least - 1, highest, most);
    // Only neighbours share something.
    const earliest = Math.max(chunks.at(-1)?.to ?? from + 1, scale.behind(to, OVERLAP_TOKENS));
    chunks.push({ from, to });
    from = bestCut(text, earliest, to, SENTENCE, to);
    const due = slices.whenDue();
    if (due) await due;
  }
}

/**
 * The best place to cut at of those from `begin` on and before `end`, which may be further back: the first that is as
 * good, and as good as `enough` is good enough. `otherwise`: when it can be cut at none of them.
 */
function bestCut(text: string, begin: number, end: number, enough: number, otherwise: number): number {
  const step = begin < end ? 1 : -1;
  let best = otherwise;
  let bestRank = -1;
  for (let at = begin; at !== end && bestRank < enough; at += step) {
    const rank = cutRank(text, at);
    if (rank > bestRank) [best, bestRank] = [at, rank];
  }
  return best;
}
