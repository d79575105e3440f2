/** What Parley needs of a model: a prompt goes in, an answer comes out piece by piece. */
import type { FinishReason, Part, Usage } from '../chat/content.ts';
import type { Role } from '../chat/turns.ts';
import type { JsonObject } from '../structs/json.ts';

/** One message of a prompt, as it is sent. */
export interface PromptMessage {
  readonly role: Role;
  /** Who says it, in characters providers take (`[A-Za-z0-9_-]{1,64}`); empty when nobody is named. */
  readonly name: string;
  readonly parts: readonly Part[];
}

/** A tool the model may ask for. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** A JSON schema; undefined when it takes nothing. */
  readonly parameters: JsonObject | undefined;
}

/** How an answer is to be made. What is undefined is left to the provider. */
export interface Generation {
  readonly model: string;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly seed?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  /** OpenAI's `response_format`, passed on as it is. */
  readonly responseFormat?: JsonObject | undefined;
  /** `auto`, `none`, `required`, or the name of a tool. */
  readonly toolChoice?: string | undefined;
  readonly tools?: readonly Tool[] | undefined;
}

/** A piece of an answer. */
export type AnswerPiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'refusal'; readonly text: string }
  | {
      readonly kind: 'toolCall';
      /** Which of the answer's calls it is a piece of: 0, 1, … */
      readonly index: number;
      /** Whole, with the first piece of a call; empty with the others. */
      readonly id: string;
      /** Whole, with the first piece of a call; empty with the others. */
      readonly name: string;
      /** The next piece of the arguments' JSON text. */
      readonly arguments: string;
    }
  /** The last piece, always and once. */
  | {
      readonly kind: 'end';
      readonly finishReason: Extract<FinishReason, 'STOP' | 'LENGTH' | 'TOOL_CALLS' | 'CONTENT_FILTER'>;
      /** Undefined when the provider did not say. */
      readonly usage: Usage | undefined;
    };

export interface Model {
  /**
   * Asks for an answer. `signal` gives the request up, on the wire too, and the iteration then rejects with the
   * signal's reason. What goes wrong is a {@link ParleyError} with a MODEL_… reason, in our words and never the
   * provider's. Text is never empty and never ends in half a character.
   */
  answer(
    messages: readonly PromptMessage[],
    generation: Generation,
    signal: AbortSignal,
  ): AsyncIterable<AnswerPiece>;
}

/** Finds the model of a name. */
export interface Models {
  /** Every name is some model's; whether the endpoint knows it shows when it is asked. */
  named(name: string): Model;
}

/**
 * What an answer may come to, arguments included, in bytes: gRPC delivers no message of more than 4 MiB, and the turn
 * it becomes has more to carry. A longer one ends there, as if by `maxTokens`.
 */
export const LONGEST_ANSWER = 3 * 1024 * 1024;

/** The most parts an answer may have: as many as a Message (`content.proto`), or it could not be handed on. */
export const MOST_PARTS = 100;
