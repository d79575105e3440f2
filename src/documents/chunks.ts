/**
 * Cuts a document into chunks that a search can give back and a model can read:
 * of about as many tokens, and overlapping, so that what stands at a cut stands
 * whole in one of them. Cuts are made where a paragraph ends if one ends near,
 * else a sentence, else a word.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import { tokensOfWords } from './word_tokens.ts';

/** The most tokens of a chunk. */
const CHUNK_TOKENS = 400;
/** The most tokens two neighbours share. */
const OVERLAP_TOKENS = 60;
/** From so many tokens on the end of a paragraph is near enough. */
const NEARLY_FULL = 300;
/** The longest piece that is not cut further, in characters: about half an overlap of English. */
const LONGEST_PIECE = 160;
/** How long a document is looked at before other calls are. */
const LONGEST_TURN_MS = 8;

/** A stretch of a text. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
}

interface Piece extends Chunk {
  readonly tokens: number;
  /** How good a place its end is to cut at. */
  readonly end: 'paragraph' | 'sentence' | 'word';
}

/** The chunks of a text, in order; a text of blanks is one. */
export async function chunksOf(text: string, tokenizer: Tokenizer): Promise<Chunk[]> {
  const pieces = await piecesOf(text, tokenizer);
  const chunks: Chunk[] = [];
  for (let first = 0; first < pieces.length; ) {
    const next = endOf(pieces, first);
    chunks.push({ from: pieces[first]!.from, to: pieces[next - 1]!.to });
    if (next === pieces.length) break;
    first = overlapBefore(pieces, first, next);
  }
  return chunks;
}

/** The first piece that no longer belongs to the chunk that begins with `first`. */
function endOf(pieces: readonly Piece[], first: number): number {
  let tokens = 0;
  let next = first;
  let best = { next: first, rank: -1 };
  while (next < pieces.length && (next === first || tokens + pieces[next]!.tokens <= CHUNK_TOKENS)) {
    tokens += pieces[next]!.tokens;
    const rank = RANKS[pieces[next]!.end];
    next++;
    if (tokens >= NEARLY_FULL && rank >= best.rank) best = { next, rank };
  }
  return next === pieces.length || best.rank < 0 ? next : best.next;
}

const RANKS = { word: 0, sentence: 1, paragraph: 2 };

/** Where the chunk after `next` begins: as far before as an overlap goes, and always further on than the last. */
function overlapBefore(pieces: readonly Piece[], first: number, next: number): number {
  let tokens = 0;
  let begin = next;
  while (begin - 1 > first && tokens + pieces[begin - 1]!.tokens <= OVERLAP_TOKENS) {
    begin--;
    tokens += pieces[begin]!.tokens;
  }
  return begin;
}

async function piecesOf(text: string, tokenizer: Tokenizer): Promise<Piece[]> {
  const pieces: Piece[] = [];
  let turn = performance.now();
  for (let from = 0; from < text.length; ) {
    const piece = pieceAt(text, from, tokenizer);
    pieces.push(piece);
    from = piece.to;
    if (performance.now() - turn > LONGEST_TURN_MS) {
      await nextTurn();
      turn = performance.now();
    }
  }
  return pieces;
}

/** A piece is never more than an overlap, whatever it is made of. */
function pieceAt(text: string, from: number, tokenizer: Tokenizer): Piece {
  for (let longest = LONGEST_PIECE; ; longest = Math.floor(longest / 2)) {
    const { to, end } = cutAfter(text, from, longest);
    const tokens = tokensOfWords(text.slice(from, to), tokenizer);
    if (tokens <= OVERLAP_TOKENS || to - from <= 8) return { from, to, tokens, end };
  }
}

/** Where a piece may end: the last time in reach that a paragraph, a sentence or a word does. */
function cutAfter(text: string, from: number, longest: number): { to: number; end: Piece['end'] } {
  if (from + longest >= text.length) {
    const paragraph = lastEnd(PARAGRAPH, text.slice(from));
    return paragraph > 0 && from + paragraph < text.length
      ? { to: from + paragraph, end: 'paragraph' }
      : { to: text.length, end: 'paragraph' };
  }
  const reach = text.slice(from, from + longest);
  for (const [end, pattern] of CUTS) {
    const length = lastEnd(pattern, reach);
    if (length > 0) return { to: from + length, end };
  }
  return { to: from + wholeCharacters(reach), end: 'word' };
}

const PARAGRAPH = /\n\s*\n/g;
const CUTS = [
  ['paragraph', PARAGRAPH],
  ['sentence', /[.!?…]["'”’)\]]*\s+|[。！？]["'”’)\]」』]*\s*|\n/g],
  ['word', /\s+/g],
] as const;

/** Where the last match ends; 0 when there is none. */
function lastEnd(pattern: RegExp, text: string): number {
  let end = 0;
  for (const match of text.matchAll(pattern)) end = match.index + match[0].length;
  return end;
}

/** The length without half a character at the end. */
function wholeCharacters(text: string): number {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff && text.length > 1 ? text.length - 1 : text.length;
}
