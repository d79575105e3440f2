/**
 * What another agent said, as the one that answers hears it: somebody else's words, under a name. As an assistant's
 * they would be taken for its own. Not every provider passes names on, so the words say it too.
 *
 * What tools told another agent stays with that one, which says what it makes of it; only results that have just come
 * in are heard, because they are the question.
 */
import type { PromptMessage } from '../models/model.ts';
import type { Part, Said, ToolCall } from './content.ts';
import { promptName } from './prompt_messages.ts';

/** Whether an assistant's turn is of another agent than the one that answers (empty: nobody in particular). */
export function isAnothers({ role, participantId }: Said, answering: string): boolean {
  return role === 'ASSISTANT' && answering !== '' && participantId !== '' && participantId !== answering;
}

/** The message it becomes, and the calls it made; no message when there is nothing to hear. */
export function heard({ participantId, parts }: Said): {
  message: PromptMessage | undefined;
  calls: readonly ToolCall[];
} {
  const calls = parts.filter((part) => part.kind === 'toolCall');
  const said = parts.flatMap((part): Part[] => {
    if (part.kind === 'toolCall') return [{ kind: 'text', text: `[calls ${part.name}]` }];
    if (part.kind === 'reasoning' || part.kind === 'toolResult') return [];
    return (part.kind === 'text' || part.kind === 'refusal') && part.text === '' ? [] : [part];
  });
  if (said.length === 0) return { message: undefined, calls };
  return {
    message: { role: 'USER', name: promptName(participantId), parts: signed(participantId, said) },
    calls,
  };
}

/** A result that was called for by another agent, as a message. */
export function heardResult(message: PromptMessage): PromptMessage {
  const said = message.parts.map((part): Part => {
    if (part.kind !== 'toolResult') return part;
    const { isError, name, toolCallId, content } = part;
    return { kind: 'text', text: `[${isError ? 'failure' : 'result'} of ${name || toolCallId}: ${content}]` };
  });
  return { role: 'USER', name: '', parts: said };
}

/** One text where it can be: some endpoints take nothing else of a user. */
function signed(participantId: string, said: readonly Part[]): Part[] {
  const [first, ...rest] = joinedTexts(said);
  const name = `${participantId}: `;
  return first!.kind === 'text'
    ? [{ kind: 'text', text: name + first!.text }, ...rest]
    : [{ kind: 'text', text: name.trim() }, first!, ...rest];
}

function joinedTexts(parts: readonly Part[]): Part[] {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    const text = part.kind === 'text' || part.kind === 'refusal' ? part.text : undefined;
    if (text === undefined) joined.push(part);
    else if (last?.kind === 'text')
      joined[joined.length - 1] = { kind: 'text', text: `${last.text}\n${text}` };
    else joined.push({ kind: 'text', text });
  }
  return joined;
}
