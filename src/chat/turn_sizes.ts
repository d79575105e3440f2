/** What a call may append: what was appended can also be read, by a gRPC client that takes 4 MiB as all do by default. */
import { ParleyError } from '../errors.ts';
import type { NewTurn } from './turns.ts';

/**
 * The most bytes of turns, as they are answered. An answer has a cursor beside them; a run's first event has ids and
 * the name of its model as well.
 */
const MOST_BYTES = { append: 4 * 1024 * 1024 - 256, ask: 4 * 1024 * 1024 - 4096 };
/** What `seq`, `create_time` and its frame add to a turn, at most. */
const TURN_FRAME_BYTES = 32;

/** RESOURCE_EXHAUSTED `QUOTA_EXCEEDED` when turns take too much to be appended at once. */
export function checkSize(turns: readonly NewTurn[], to: 'append' | 'ask' = 'append'): void {
  const bytes = turns.reduce((sum, turn) => sum + turn.body.length + TURN_FRAME_BYTES, 0);
  const most = MOST_BYTES[to];
  if (bytes <= most) return;
  throw new ParleyError('QUOTA_EXCEEDED', `these turns take more than ${most} bytes; append fewer at a time`);
}
