/** Starts the bare grpc-js server that following is compared with. */
import { type Bare, startBare } from './bare.ts';

/** What the broadcast server does, with the bytes Parley gave for the same; bytes are base64. */
export interface BroadcastScript {
  /** Method paths. */
  readonly followPath: string;
  readonly appendPath: string;
  /** What a follower is sent first. */
  readonly caughtUp: string;
  /** What a follower is sent for a turn. */
  readonly turn: string;
  /** What an append is answered with. */
  readonly appended: string;
  /** Where in an append's request the serials lie, one for each turn. */
  readonly serialAt: readonly number[];
}

export function startBroadcast(script: BroadcastScript): Promise<Bare> {
  return startBare('broadcast', script);
}
