/** What is said in a session, as the domain knows it once it has to look inside. */
import type { Role } from './turns.ts';

/** A piece of what was said. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | ({ readonly kind: 'image' } & Media)
  | ({ readonly kind: 'file' } & Media)
  | ({ readonly kind: 'toolCall' } & ToolCall)
  | ({ readonly kind: 'toolResult' } & ToolResult)
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'refusal'; readonly text: string };

/** A picture or a file: where it is, or the bytes of it. */
export interface Media {
  readonly source: { readonly uri: string } | { readonly data: Uint8Array };
  /** Empty when unknown. */
  readonly mimeType: string;
  readonly name: string;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text as a model wrote it: nobody has checked it. */
  readonly arguments: string;
}

export interface ToolResult {
  readonly toolCallId: string;
  readonly name: string;
  readonly content: string;
  readonly isError: boolean;
}

/** Something somebody said. */
export interface Said {
  readonly role: Role;
  /** Empty when nobody was named. */
  readonly participantId: string;
  readonly parts: readonly Part[];
}

/** A turn of the log, looked into. */
export interface PastTurn extends Said {
  readonly seq: number;
  /** What it takes of a model's window, in tokens of o200k_base; 0 when it was stored uncounted. */
  readonly tokenCount: number;
}

/** What an answer cost, in tokens as its provider counts. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
}

export type FinishReason = 'STOP' | 'LENGTH' | 'TOOL_CALLS' | 'CONTENT_FILTER' | 'CANCELLED' | 'ERROR';
