/** What a turn by itself becomes in a prompt: messages that strict providers take. */
import type { PromptMessage } from '../models/model.ts';
import { Slices } from '../slices.ts';
import { tokensOf } from '../tokens/message_tokens.ts';
import { COUNTING_SLICE, type Tokenizer } from '../tokens/tokenizer.ts';
import type { Part, Said, ToolCall } from './content.ts';

/**
 * The messages of a turn, in order; none when it has nothing to send. Each tool result is a message of its own, as
 * it is on the wire. What cannot be sent is left out: reasoning, empty text, calls by anybody but the assistant, a
 * second call with the same id, and whatever a tool says besides results.
 */
export function promptMessages({ role, participantId, parts }: Said): PromptMessage[] {
  const messages: PromptMessage[] = [];
  if (role !== 'TOOL') {
    const sent = sendable(role === 'ASSISTANT' ? parts : parts.filter(({ kind }) => kind !== 'toolCall'));
    const name = role === 'SYSTEM' ? '' : promptName(participantId);
    if (sent.length > 0) messages.push({ role, name, parts: sent });
  }
  for (const part of parts) {
    if (part.kind === 'toolResult') messages.push({ role: 'TOOL', name: '', parts: [part] });
  }
  return messages;
}

/** What something said takes of a model's window: what is kept with a turn as its `token_count`. */
export function tokensOfSaid(said: Said, tokenizer: Tokenizer): number | Promise<number> {
  const counts = promptMessages(said).map((message) => tokensOf(message, tokenizer));
  return counts.every((count) => typeof count === 'number')
    ? counts.reduce((sum, count) => sum + count, 0)
    : Promise.all(counts).then((all) => all.reduce((sum, count) => sum + count, 0));
}

/** The same of each of many, which may take a while. */
export async function tokensOfEach(said: readonly Said[], tokenizer: Tokenizer): Promise<number[]> {
  const slices = new Slices(COUNTING_SLICE);
  const counts: number[] = [];
  for (const each of said) {
    const count = tokensOfSaid(each, tokenizer);
    counts.push(typeof count === 'number' ? count : await count);
    const due = slices.whenDue();
    if (due) await due;
  }
  return counts;
}

/** A participant's id in the characters providers take. */
export function promptName(participantId: string): string {
  return participantId.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64);
}

function sendable(parts: readonly Part[]): Part[] {
  const ids = new Set<string>();
  const sent: Part[] = [];
  for (const part of parts) {
    if (part.kind === 'reasoning' || part.kind === 'toolResult') continue;
    if ((part.kind === 'text' || part.kind === 'refusal') && part.text === '') continue;
    if (part.kind !== 'toolCall') {
      sent.push(part);
    } else if (!ids.has(part.id)) {
      ids.add(part.id);
      sent.push({ ...part, arguments: argumentsOf(part) });
    }
  }
  return sent;
}

/** An answer that was cut off leaves half an object, which would have the whole prompt refused. */
function argumentsOf(call: ToolCall): string {
  try {
    const value: unknown = JSON.parse(call.arguments);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? call.arguments : '{}';
  } catch {
    return '{}';
  }
}
