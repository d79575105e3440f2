/** What the domain needs of counting tokens. */
import type { Said } from './content.ts';

/** What each of several things said takes of a model's window once it is a turn: its `token_count`. */
export type TurnCounter = (said: readonly Said[]) => Promise<number[]>;
