/** Some of what an agent has yet to look at: as much as a model is asked about at once. */
import type { PastTurn } from '../chat/content.ts';
import { inWords, turnLine } from '../chat/turn_line.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';

/** The most turns at once: few enough to be looked at closely. */
export const BATCH_TURNS = 100;
/** The most tokens at once, where a model could take more. */
const BATCH_TOKENS = 12_000;
/** A window that leaves less is too small to learn anything. */
const LEAST_ROOM = 256;

export interface Batch {
  /** The first and the last turn of it. */
  readonly fromSeq: number;
  readonly throughSeq: number;
  /** The turns that say anything, a line each. */
  readonly lines: readonly string[];
  /** Their seqs. */
  readonly seqs: ReadonlySet<number>;
}

/** As many of these turns, which are in order and at least one, as fit into a window beside other tokens. */
export async function batchOf(
  turns: readonly PastTurn[],
  contextWindow: number,
  otherTokens: number,
  counter: Tokenizer,
): Promise<Batch> {
  const room = Math.max(LEAST_ROOM, Math.min(BATCH_TOKENS, contextWindow - otherTokens));
  const lines: string[] = [];
  const seqs = new Set<number>();
  let taken = 0;
  let throughSeq = 0;
  for (const turn of turns) {
    const said = inWords(turn) !== '';
    const line = said ? await turnLine(turn, room, counter) : undefined;
    if (line && lines.length > 0 && taken + line.tokens > room) break;
    if (line) {
      lines.push(line.text);
      seqs.add(turn.seq);
      taken += line.tokens;
    }
    throughSeq = turn.seq;
  }
  return { fromSeq: turns[0]!.seq, throughSeq, lines, seqs };
}
