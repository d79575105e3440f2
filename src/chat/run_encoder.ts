/** How runs are told: what the domain needs of the encoding of events and turns; `services/` knows it. */
import type { ParleyError } from '../errors.ts';
import type { Delta } from './answer.ts';
import type { FinishReason, Part, PastTurn, Usage } from './content.ts';
import type { OpenEvent } from './run.ts';
import type { NewTurn } from './turns.ts';

/** What a run leaves in the log. */
export interface AnswerTurn {
  readonly runId: string;
  readonly participantId: string;
  readonly model: string;
  readonly parts: readonly Part[];
  readonly tokenCount: number;
  readonly usage: Usage | undefined;
  readonly finishReason: FinishReason;
  readonly status: 'COMPLETE' | 'PARTIAL';
}

export interface RunEncoder {
  started(runId: string, model: string, participantId: string): OpenEvent;
  /** A whole event, as a frame. */
  delta(runId: string, offset: number, delta: Delta): Uint8Array;
  completed(runId: string, offset: number, usage: Usage | undefined, finishReason: FinishReason): OpenEvent;
  failed(runId: string, offset: number, status: Uint8Array): OpenEvent;
  cancelled(runId: string, offset: number): OpenEvent;
  /** An error as events and runs carry it. */
  status(error: ParleyError): Uint8Array;
  turn(answer: AnswerTurn): NewTurn;
  /** What was said in events, given as frames. */
  deltas(frames: Uint8Array): Delta[];
  /** Turns, given as frames. */
  turns(frames: Uint8Array): PastTurn[];
}
