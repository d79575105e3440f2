/** The prompt of an answer, and how it came about. */
import type { PromptMessage } from '../models/model.ts';

/** Where a message of a prompt comes from. */
export type ContextSource =
  | 'SITUATION'
  | 'INSTRUCTIONS'
  | 'INSIGHTS'
  | 'SUMMARY'
  | 'DOCUMENTS'
  | 'ELISION'
  | 'TURN';

export interface ContextMessage extends PromptMessage {
  readonly source: ContextSource;
  /** Of a turn that is stored; 0 otherwise. */
  readonly seq: number;
  readonly tokenCount: number;
}

/** What was folded of a session's beginning. */
export interface Summary {
  readonly text: string;
  /** The last turn it covers. */
  readonly throughSeq: number;
}

/** Exactly what a model is sent, and what it is not. */
export interface Context {
  readonly messages: readonly ContextMessage[];
  readonly tokenCount: number;
  readonly tokenBudget: number;
  /** Turns of the log that are not among the messages. */
  readonly omittedTurns: number;
  /** How far the summary among the messages goes; 0 without one. */
  readonly summarizedThroughSeq: number;
  readonly shortenedToolResults: number;
}
