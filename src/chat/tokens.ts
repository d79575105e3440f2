/** What the domain needs of counting tokens. */
import type { Said } from './content.ts';

/**
 * What each of several things said takes of a model's window once it is a turn: its `token_count`. At once when that
 * is quick, as it mostly is.
 */
export type TurnCounter = (said: readonly Said[]) => number[] | Promise<number[]>;
