/** A question to the model of a session. */
import type { Generation } from '../models/model.ts';
import type { Said } from './content.ts';
import type { Concurrency } from './run.ts';
import type { NewTurn } from './turns.ts';

/** How to answer. */
export interface AskSettings {
  /** What is undefined is taken from the agent, the session, the server. */
  readonly generation: Partial<Generation>;
  /** Which agent answers; empty: the first bound one, or nobody in particular. */
  readonly participantId: string;
  readonly concurrency: Concurrency;
  /** Whether the run is cancelled when whoever asked is gone. */
  readonly cancelWhenLost: boolean;
}

/** A turn that is asked with. */
export interface AskedTurn extends NewTurn {
  readonly said: Said;
  readonly tokenCount: number;
}

export interface Ask extends AskSettings {
  /** What is said first; none: what is there is answered. */
  readonly turns: readonly AskedTurn[];
}
