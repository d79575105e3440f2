/** The beginning of a prompt: what a model is told about the session before anybody speaks. */
import { tokensOf } from '../tokens/message_tokens.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import type { ContextMessage, ContextSource, Summary } from './context.ts';

/** A piece of it, as it is to be read. */
export interface SystemPiece {
  readonly source: Exclude<ContextSource, 'SUMMARY' | 'ELISION' | 'TURN'>;
  /** Empty: nothing is said. */
  readonly text: string;
}

/** What changes least comes first. */
const ORDER: readonly ContextSource[] = ['SITUATION', 'INSTRUCTIONS', 'INSIGHTS', 'SUMMARY', 'DOCUMENTS'];

/** Its messages, one per piece that says anything. */
export async function systemMessages(
  pieces: readonly SystemPiece[],
  summary: Summary | undefined,
  tokenizer: Tokenizer,
): Promise<{ messages: ContextMessage[]; tokens: number }> {
  const told: { source: ContextSource; text: string }[] = pieces.filter(({ text }) => text !== '');
  if (summary) told.push({ source: 'SUMMARY', text: `Summary of the conversation so far:\n${summary.text}` });
  const sorted = told.toSorted((one, other) => ORDER.indexOf(one.source) - ORDER.indexOf(other.source));
  const messages = await Promise.all(
    sorted.map(({ source, text }) => systemMessage(source, text, tokenizer)),
  );
  return { messages, tokens: messages.reduce((sum, { tokenCount }) => sum + tokenCount, 0) };
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
