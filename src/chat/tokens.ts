/** What the domain needs of counting tokens. */
import type { Said } from './content.ts';

/** What something takes of a model's window once it is a turn: its `token_count`. */
export type TurnCounter = (said: Said) => number | Promise<number>;
