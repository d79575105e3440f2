/** How much of a session to fold into its summary when its prompt has overflown. */
import type { ContextMessage } from './context.ts';
import type { BuiltContext, SeqRange } from './context_window.ts';
import { tokensIn } from './system_part.ts';

/**
 * What to fold: what the prompt leaves out, and of what it has as much as makes the rest take half of the room
 * turns have. If no more than necessary were folded, every further answer would need a new summary. Undefined when
 * nothing is left out. Calls and their results stay together, and the newest exchange is never folded.
 */
export function foldRange({ context, unsummarized }: BuiltContext): SeqRange | undefined {
  if (!unsummarized) return undefined;
  const turns = context.messages.filter(({ source }) => source === 'TURN');
  const told = context.messages.filter(({ source }) => source !== 'TURN' && source !== 'ELISION');
  const half = (context.tokenBudget - tokensIn(told)) / 2;
  const places = foldable(turns);
  const left = tokensFrom(turns);
  const place = places.find((at) => left[at]! <= half) ?? places.at(-1);
  const folded = place === undefined ? 0 : lastSeq(turns.slice(0, place));
  return { afterSeq: unsummarized.afterSeq, throughSeq: Math.max(unsummarized.throughSeq, folded) };
}

/** Where messages can be parted so that a seq parts the log likewise, and no result is parted from its call. */
function foldable(turns: readonly ContextMessage[]): number[] {
  const places: number[] = [];
  let last = 0;
  const firstFrom = firstSeqs(turns);
  for (const [at, { role, seq }] of turns.entries()) {
    if (role !== 'TOOL' && last < firstFrom[at]!) places.push(at);
    last = Math.max(last, seq);
  }
  return places;
}

/** The lowest seq of each message and those after it; those that are not stored are behind all others. */
function firstSeqs(turns: readonly ContextMessage[]): number[] {
  return fromEnd(turns, Number.POSITIVE_INFINITY, (first, { seq }) =>
    seq > 0 ? Math.min(first, seq) : first,
  );
}

/** The tokens of each message and all after it. */
function tokensFrom(turns: readonly ContextMessage[]): number[] {
  return fromEnd(turns, 0, (tokens, { tokenCount }) => tokens + tokenCount);
}

/** What comes of each message and all after it; `add`: of one, and of those after it. */
function fromEnd(
  turns: readonly ContextMessage[],
  none: number,
  add: (after: number, turn: ContextMessage) => number,
): number[] {
  let after = none;
  return turns
    .toReversed()
    .map((turn) => {
      after = add(after, turn);
      return after;
    })
    .toReversed();
}

function lastSeq(messages: readonly ContextMessage[]): number {
  return messages.reduce((last, { seq }) => Math.max(last, seq), 0);
}
