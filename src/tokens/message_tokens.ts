/** What a message takes of a model's window. */
import type { Media, Part } from '../chat/content.ts';
import type { PromptMessage } from '../models/model.ts';
import { AT_ONCE, type Tokenizer } from './tokenizer.ts';

// How OpenAI counts chats: github.com/openai/openai-cookbook, examples/How_to_count_tokens_with_tiktoken.ipynb,
// `num_tokens_from_messages`: `tokens_per_message = 3`, and the role's own; `tokens_per_name = 1`, and the name's
// own; "every reply is primed with <|start|>assistant<|message|>": 3.
const PER_MESSAGE = 3 + 1;
const PER_NAME = 1;
/** What the beginning of the answer takes, once per prompt. */
export const PRIMING = 3;

/** The marks around a call: its name, its arguments. As the cookbook has it for functions (`func_init`, `func_end`). */
const PER_TOOL_CALL = 7;

/**
 * A picture of 1024 × 1024 in high detail, 4 tiles of 170 and 85 for itself (platform.openai.com/docs/guides/
 * images-vision, "Calculating costs"). How large one is nobody here looks, and this is what most are scaled to.
 */
const PER_IMAGE = 765;

/** A file's bytes per token: prose's. Nobody here knows what a provider makes of it. */
const BYTES_PER_TOKEN = 4;

/** A message's tokens: at once when it is short, as nearly all are; a promise when counting would be felt. */
export function tokensOf(message: PromptMessage, tokenizer: Tokenizer): number | Promise<number> {
  let total = PER_MESSAGE + (message.name === '' ? 0 : PER_NAME);
  const texts = message.name === '' ? [] : [message.name];
  for (const part of message.parts) {
    total += fixedTokens(part);
    texts.push(...sentTexts(part));
  }
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  if (length > AT_ONCE) return countEach(texts, total, tokenizer);
  for (const text of texts) total += tokenizer.count(text);
  return total;
}

/** The tokens of what is sent as JSON beside the messages: tools, and the form of the answer. */
export function tokensOfJson(value: unknown, tokenizer: Tokenizer): Promise<number> {
  return tokenizer.countLarge(JSON.stringify(value));
}

async function countEach(texts: readonly string[], fixed: number, tokenizer: Tokenizer): Promise<number> {
  let total = fixed;
  for (const text of texts) total += await tokenizer.countLarge(text);
  return total;
}

/** What of a part is text to a model. */
function sentTexts(part: Part): string[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return [part.text];
    case 'toolCall':
      return [part.name, part.arguments];
    case 'toolResult':
      return [part.content];
    case 'image':
    case 'file':
    case 'reasoning': // is not sent
      return [];
  }
}

function fixedTokens(part: Part): number {
  if (part.kind === 'toolCall') return PER_TOOL_CALL;
  if (part.kind === 'image') return PER_IMAGE;
  return part.kind === 'file' ? Math.ceil(fileBytes(part) / BYTES_PER_TOKEN) : 0;
}

/** A file that is fetched from elsewhere counts as its address: its size is not known. */
function fileBytes({ source }: Media): number {
  return 'data' in source ? source.data.length : source.uri.length;
}
