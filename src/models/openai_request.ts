/** A prompt as OpenAI's chat completions take it, and as stricter endpoints that speak the same do. */
import type {
  ChatCompletionContentPart,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type { Media, Part, ToolCall, ToolResult } from '../chat/content.ts';
import { isJson } from '../structs/json.ts';
import type { Generation, PromptMessage, Tool } from './model.ts';

/** The families that refuse `max_tokens`; everybody else's servers may know nothing newer. */
const NEEDS_MAX_COMPLETION_TOKENS = /(^|\/)(o[1-9]|gpt-[5-9])(?![a-z])/;

/** The body of a request for a streamed answer. What is undefined is left out, as is what would be empty. */
export function requestOf(
  messages: readonly PromptMessage[],
  generation: Generation,
): ChatCompletionCreateParamsStreaming {
  const { model, maxTokens, stop, tools = [] } = generation;
  const body = {
    model,
    messages: messagesOf(messages),
    stream: true,
    stream_options: { include_usage: true },
    temperature: generation.temperature,
    top_p: generation.topP,
    [NEEDS_MAX_COMPLETION_TOKENS.test(model) ? 'max_completion_tokens' : 'max_tokens']: maxTokens,
    seed: generation.seed,
    presence_penalty: generation.presencePenalty,
    frequency_penalty: generation.frequencyPenalty,
    stop: stop?.length ? stop : undefined,
    response_format: generation.responseFormat,
    tools: tools.length ? tools.map(toolOf) : undefined,
    // Without tools there is nothing to choose, and OpenAI refuses a choice.
    tool_choice: tools.length ? toolChoiceOf(generation.toolChoice) : undefined,
  };
  return Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== undefined),
  ) as unknown as ChatCompletionCreateParamsStreaming;
}

function messagesOf(messages: readonly PromptMessage[]): ChatCompletionMessageParam[] {
  const sent: ChatCompletionMessageParam[] = [];
  // Nothing may stand between the results of calls that were asked for together.
  const afterResults: ChatCompletionMessageParam[] = [];
  for (const message of messages) {
    if (message.role !== 'TOOL') sent.push(...afterResults.splice(0));
    sent.push(...resultsOf(message.parts));
    const spoken = spokenOf(message);
    if (spoken) (message.role === 'TOOL' ? afterResults : sent).push(spoken);
  }
  return [...sent, ...afterResults];
}

function resultsOf(parts: readonly Part[]): ChatCompletionMessageParam[] {
  return parts
    .filter((part) => part.kind === 'toolResult')
    .map((result: ToolResult) => ({
      role: 'tool',
      tool_call_id: result.toolCallId,
      content: result.isError ? `Error: ${result.content}` : result.content,
    }));
}

/** A message but for its tool results; undefined when nothing is left to be sent: no endpoint likes empty ones. */
function spokenOf({ role, name, parts }: PromptMessage): ChatCompletionMessageParam | undefined {
  const named = name === '' ? {} : { name };
  switch (role) {
    case 'SYSTEM': {
      const content = textOf(parts, '\n\n');
      return content === '' ? undefined : { role: 'system', content, ...named };
    }
    case 'ASSISTANT':
      return assistantOf(parts, named);
    case 'USER':
    case 'TOOL': {
      // What a tool's turn says besides results has no place of its own: it is said as a user's.
      const content = parts.flatMap(contentOf);
      const only = content.length === 1 ? content[0] : undefined;
      if (content.length === 0) return undefined;
      return { role: 'user', content: only?.type === 'text' ? only.text : content, ...named };
    }
  }
}

/** A refusal goes as text: only OpenAI has a field for it, and others want text wherever there are no calls. */
function assistantOf(
  parts: readonly Part[],
  named: { name?: string },
): ChatCompletionMessageParam | undefined {
  const content = textOf(parts, '');
  const calls = parts.filter((part) => part.kind === 'toolCall').map(callOf);
  if (calls.length > 0) return { role: 'assistant', content: content || null, tool_calls: calls, ...named };
  return content === '' ? undefined : { role: 'assistant', content, ...named };
}

/** Some answer 400 to a prompt with a call that broke off in its arguments: it goes without them. */
function callOf({ id, name, arguments: text }: ToolCall) {
  return { id, type: 'function', function: { name, arguments: isJson(text) ? text : '{}' } } as const;
}

/** The texts of a message that can have nothing but text; the rest of it is named. Thoughts are not sent back. */
function textOf(parts: readonly Part[], between: string): string {
  return parts
    .flatMap((part) => {
      if (part.kind === 'text' || part.kind === 'refusal') return part.text === '' ? [] : [part.text];
      return part.kind === 'image' || part.kind === 'file' ? [mention(part.kind, part)] : [];
    })
    .join(between);
}

function contentOf(part: Part): ChatCompletionContentPart[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    case 'image':
      return [{ type: 'image_url', image_url: { url: addressOf(part, 'image/png') } }];
    case 'file': {
      // There is no form for a file that is elsewhere.
      if ('uri' in part.source) return [{ type: 'text', text: mention('file', part) }];
      const file_data = addressOf(part, 'application/octet-stream');
      return [{ type: 'file', file: { filename: part.name || 'file', file_data } }];
    }
    default:
      return [];
  }
}

function addressOf({ source, mimeType }: Media, unknownType: string): string {
  if ('uri' in source) return source.uri;
  const { buffer, byteOffset, byteLength } = source.data;
  return `data:${mimeType || unknownType};base64,${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}`;
}

function mention(kind: string, { source, name }: Media): string {
  return `[${[kind, name, 'uri' in source ? source.uri : ''].filter(Boolean).join(' ')}]`;
}

function toolOf({ name, description, parameters }: Tool) {
  return {
    type: 'function',
    function: {
      name,
      ...(description !== '' && { description }),
      // Said even of a tool that takes nothing: some endpoints demand it.
      parameters: parameters ?? { type: 'object', properties: {} },
    },
  };
}

function toolChoiceOf(choice: string | undefined) {
  if (!choice || choice === 'auto' || choice === 'none' || choice === 'required') return choice || undefined;
  return { type: 'function', function: { name: choice } };
}
