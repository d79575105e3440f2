/** A prompt as GetContext tells it, as it has to look on the wire to a model's provider. */
import type { ContextMessage } from '../../gen/parley/v1/chat_service_pb.ts';
import { type Part, Role } from '../../gen/parley/v1/content_pb.ts';
import type { JsonObject } from '../../src/structs/json.ts';

/** The JSON text of OpenAI's `messages`. */
export function messagesOnWire(messages: readonly ContextMessage[]): string {
  return JSON.stringify(messages.map(onWire));
}

function onWire({ role, name, parts }: ContextMessage): JsonObject {
  const named = name === '' ? {} : { name };
  switch (role) {
    case Role.SYSTEM:
      return { role: 'system', content: textOf(parts), ...named };
    case Role.ASSISTANT: {
      const calls = parts.flatMap(({ content: { case: kind, value } }) =>
        kind === 'toolCall'
          ? [{ id: value.id, type: 'function', function: { name: value.name, arguments: value.arguments } }]
          : [],
      );
      if (calls.length === 0) return { role: 'assistant', content: textOf(parts), ...named };
      return { role: 'assistant', content: textOf(parts) || null, tool_calls: calls, ...named };
    }
    case Role.TOOL: {
      const { case: kind, value } = parts[0]!.content;
      if (parts.length !== 1 || kind !== 'toolResult') throw new Error(`a tool's message with ${kind}`);
      const content = value.isError ? `Error: ${value.content}` : value.content;
      return { role: 'tool', tool_call_id: value.toolCallId, content };
    }
    default: {
      const content = parts.map(piece);
      return { role: 'user', content: content.length === 1 ? textOf(parts) : content, ...named };
    }
  }
}

function piece({ content: { case: kind, value } }: Part): JsonObject {
  if (kind === 'text') return { type: 'text', text: value };
  if (kind === 'image') return { type: 'image_url', image_url: { url: String(value.source.value) } };
  throw new Error(`a user's message with ${kind}`);
}

function textOf(parts: readonly Part[]): string {
  return parts.map(({ content }) => (content.case === 'text' ? content.value : '')).join('');
}
