/** What a turn by itself becomes in a prompt: messages that strict providers take. */
import type { PromptMessage } from '../models/model.ts';
import { Slices } from '../slices.ts';
import { tokensOf } from '../tokens/message_tokens.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import type { Part, Said, ToolCall } from './content.ts';
import type { Role } from './turns.ts';

/**
 * The messages of a turn, in order; none when it has nothing to send. Each tool result is a message of its own, as
 * it is on the wire. What cannot be sent is left out: reasoning, empty text, calls by anybody but the assistant, a
 * second call with the same id, and whatever a tool says besides results.
 */
export function promptMessages({ role, participantId, parts }: Said): PromptMessage[] {
  const messages: PromptMessage[] = [];
  if (role !== 'TOOL') {
    const sent = sendable(role, parts);
    const name = role === 'SYSTEM' || participantId === '' ? '' : promptName(participantId);
    if (sent.length > 0) messages.push({ role, name, parts: sent });
  }
  for (const part of parts) {
    if (part.kind === 'toolResult') messages.push({ role: 'TOOL', name: '', parts: [part] });
  }
  return messages;
}

/** What something said takes of a model's window: what is kept with a turn as its `token_count`. */
export function tokensOfSaid(said: Said, tokenizer: Tokenizer): number | Promise<number> {
  let total = 0;
  const later: Promise<number>[] = [];
  for (const message of promptMessages(said)) {
    const tokens = tokensOf(message, tokenizer);
    if (typeof tokens === 'number') total += tokens;
    else later.push(tokens);
  }
  if (later.length === 0) return total;
  return Promise.all(later).then((all) => all.reduce((sum, tokens) => sum + tokens, total));
}

/** The same of each of several; a promise when counting would be felt. */
export function tokensOfEach(said: readonly Said[], tokenizer: Tokenizer): number[] | Promise<number[]> {
  return countOn(said, tokenizer, []);
}

/** Shared by all who count. */
const slices = new Slices();

/** Goes on behind those that are counted, and gives way to others every few milliseconds. */
function countOn(
  said: readonly Said[],
  tokenizer: Tokenizer,
  counts: number[],
): number[] | Promise<number[]> {
  while (counts.length < said.length) {
    const due = slices.whenDue();
    if (due) return due.then(() => countOn(said, tokenizer, counts));
    const count = tokensOfSaid(said[counts.length]!, tokenizer);
    if (typeof count !== 'number')
      return count.then((tokens) => {
        counts.push(tokens);
        return countOn(said, tokenizer, counts);
      });
    counts.push(count);
  }
  return counts;
}

/** A participant's id in the characters providers take. */
export function promptName(participantId: string): string {
  return participantId.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64);
}

function sendable(role: Role, parts: readonly Part[]): Part[] {
  let ids: Set<string> | undefined;
  const sent: Part[] = [];
  for (const part of parts) {
    if (part.kind === 'reasoning' || part.kind === 'toolResult') continue;
    if ((part.kind === 'text' || part.kind === 'refusal') && part.text === '') continue;
    if (part.kind !== 'toolCall') {
      sent.push(part);
    } else if (role === 'ASSISTANT' && !ids?.has(part.id)) {
      ids ??= new Set();
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
