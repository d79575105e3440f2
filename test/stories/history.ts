/**
 * What writers and followers of one log recorded, and what must be true of it.
 *
 * The writers' record alone tells what every epoch's log was. An append's answer
 * says which seqs it got; a removal's record says which turn was the first after
 * it (`next`: whoever removed appended one, and listed the first turn behind what
 * was kept). So all writes have their place among the seqs, and replaying them in
 * that order gives each epoch: what was kept, then what was appended until the
 * next removal.
 *
 * A follower's copy is sound when it is at any time the beginning of the log of
 * an epoch, of a later one after each `reset` and of the same one otherwise, and
 * at the end the whole log of the last. Nothing can be lost, repeated or reordered
 * in a beginning. Which epoch a copy shows may be open for a while, as several
 * logs begin alike: a follower is refuted when none is left.
 */
import { misled } from './history_followers.ts';
import { differences, faults, replay } from './history_writes.ts';

export interface History {
  /** All writes that changed the log; each was sent until it was acknowledged. */
  readonly writes: readonly Write[];
  readonly followers: readonly Follower[];
  /** The log at the end, as ListTurns gives it. */
  readonly log: readonly Said[];
}

/** A turn, as far as it matters here. No two messages say the same. */
export interface Said {
  readonly seq: number;
  readonly text: string;
}

export type Write = Append | Removal;

/** Moments are places in the order of everything that was recorded. */
interface Span {
  readonly sent: number;
  readonly acknowledged: number;
}

export interface Append extends Span {
  readonly kind: 'append';
  readonly texts: readonly string[];
  readonly turns: readonly Said[];
}

/** There is one remover, so that removals are recorded in their order. */
export interface Removal extends Span {
  readonly kind: 'removal';
  /** What followers are told. */
  readonly reason: string;
  /** The last seq to keep. */
  readonly toSeq: number;
  /** How many turns it said it removed; ClearHistory does not say. */
  readonly removed?: number;
  /** The seq of the first turn after it. */
  readonly next: number;
}

/** One reader, from the beginning of the log until the session is deleted, however often it was cut off. */
export interface Follower {
  readonly name: string;
  readonly streams: readonly Stream[];
}

export interface Stream {
  readonly opened: number;
  /** The cursor it went on from; empty for the beginning. */
  readonly from: string;
  readonly events: readonly Event[];
  /** `cut` by the story, or the status it ended with: `UNAVAILABLE SERVER_STOPPING`. */
  readonly end: string;
}

export type Event = { readonly cursor: string } & (
  | { readonly kind: 'turn'; readonly turn: Said }
  | { readonly kind: 'reset'; readonly reason: string }
  | { readonly kind: 'caughtUp' }
  | { readonly kind: 'heartbeat' }
);

/** Everything that is wrong with a history; nothing when it is sound. */
export function complaints({ writes, followers, log }: History): string[] {
  const epochs = replay(writes);
  return [
    ...faults(writes, epochs),
    ...differences(log, epochs),
    ...followers.flatMap((follower) => misled(follower, epochs)),
  ];
}
