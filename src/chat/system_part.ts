/** The beginning of a prompt: what a model is told about the session before anybody speaks. */
import { tokensOf } from '../tokens/message_tokens.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import type { ContextMessage, ContextSource } from './context.ts';

/** A piece of it, as it is to be read. */
export interface SystemPiece {
  readonly source: Exclude<ContextSource, 'SUMMARY' | 'ELISION' | 'TURN'>;
  /** Empty: nothing is said. */
  readonly text: string;
}

/** What changes least comes first, and the note that turns are missing right before those that are not. */
const ORDER: readonly ContextSource[] = [
  'SITUATION',
  'INSTRUCTIONS',
  'INSIGHTS',
  'SUMMARY',
  'DOCUMENTS',
  'ELISION',
  'TURN',
];

/** Whether an answer is better for it, but no worse than none without. */
export function isHelp({ source }: SystemPiece): boolean {
  return source === 'INSIGHTS' || source === 'DOCUMENTS';
}

/** A message for each piece that says anything. */
export function systemMessages(
  pieces: readonly SystemPiece[],
  tokenizer: Tokenizer,
): Promise<ContextMessage[]> {
  const told = pieces.filter(({ text }) => text !== '');
  return Promise.all(told.map(({ source, text }) => systemMessage(source, text, tokenizer)));
}

export function summaryMessage(text: string, tokenizer: Tokenizer): Promise<ContextMessage> {
  return systemMessage('SUMMARY', `Summary of the conversation so far:\n${text}`, tokenizer);
}

/** The messages as they are sent. */
export function inOrder(messages: readonly ContextMessage[]): ContextMessage[] {
  return messages.toSorted((one, other) => ORDER.indexOf(one.source) - ORDER.indexOf(other.source));
}

export function tokensIn(messages: readonly ContextMessage[]): number {
  return messages.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
}

/** The note that turns are missing. */
export function elision(turns: number, tokenizer: Tokenizer): Promise<ContextMessage> {
  const text = `[${turns} earlier message${turns === 1 ? ' was' : 's were'} left out]`;
  return systemMessage('ELISION', text, tokenizer);
}

async function systemMessage(
  source: ContextSource,
  text: string,
  tokenizer: Tokenizer,
): Promise<ContextMessage> {
  const message = { role: 'SYSTEM', name: '', parts: [{ kind: 'text', text }] } as const;
  return { ...message, source, seq: 0, tokenCount: await tokensOf(message, tokenizer) };
}
