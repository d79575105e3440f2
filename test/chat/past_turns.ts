/** Turns as tests write them, and a log that counts how far it is read. */
import type { Part, PastTurn, Said } from '../../src/chat/content.ts';
import { type BuiltContext, buildContext, type ContextInput } from '../../src/chat/context_window.ts';
import { tokensOfSaid } from '../../src/chat/prompt_messages.ts';
import type { Role } from '../../src/chat/turns.ts';
import { tokenizer } from '../../src/tokens/tokenizer.ts';

export const counter = await tokenizer('o200k_base');

export function text(words: string): Part {
  return { kind: 'text', text: words };
}

export function call(id: string, args = '{"q":1}'): Part {
  return { kind: 'toolCall', id, name: `look_${id}`, arguments: args };
}

export function result(id: string, content = `found ${id}`): Part {
  return { kind: 'toolResult', toolCallId: id, name: `look_${id}`, content, isError: false };
}

export function says(role: Role, ...parts: (Part | string)[]): Said {
  return {
    role,
    participantId: '',
    parts: parts.map((part) => (typeof part === 'string' ? text(part) : part)),
  };
}

/** A log of what was said, numbered from 1 and counted as it is when it is stored. */
export async function stored(...said: readonly Said[]): Promise<PastTurn[]> {
  return Promise.all(
    said.map(async (each, at) => ({ ...each, seq: at + 1, tokenCount: await tokensOfSaid(each, counter) })),
  );
}

/** The log newest first, in pages; `read` counts the pages that were asked for. */
export function backwards(log: readonly PastTurn[], pageSize = 10, read = { pages: 0 }) {
  return (async function* () {
    const newest = log.toReversed();
    for (let at = 0; at < newest.length; at += pageSize) {
      read.pages++;
      yield newest.slice(at, at + pageSize);
    }
  })();
}

/** Builds the prompt of a log, with room for everything unless the input says otherwise. */
export function built(log: readonly PastTurn[], input: Partial<ContextInput> = {}): Promise<BuiltContext> {
  return buildContext({
    tokenBudget: 100_000,
    overflow: 'ADAPTIVE',
    generation: { model: 'gpt-4o' },
    system: [],
    answering: '',
    summary: undefined,
    messages: [],
    turns: backwards(log),
    turnCount: log.length,
    ...input,
  });
}

/** A prompt in short: who, and what. */
export function told({ context }: BuiltContext): string[] {
  return context.messages.map(({ role, parts }) => `${role} ${parts.map(inShort).join(' ')}`);
}

function inShort(part: Part): string {
  if (part.kind === 'toolCall') return `?${part.id}`;
  if (part.kind === 'toolResult') return `!${part.toolCallId}${part.isError ? ' missing' : ''}`;
  return part.kind === 'text' ? part.text : part.kind;
}
