/** What a long text is shortened to where there is no room for all of it: its beginning, and a note. */
import type { PromptMessage } from '../models/model.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';

/** How much of a tool result's beginning is kept, in tokens. */
const RESULT_HEAD = 200;
/** Results of so few tokens stay as they are: hardly anything would be gained. */
const WORTH_SHORTENING = 300;

/** A tool's message of so many tokens with less of its result; undefined when it is short as it is. */
export function shortenedResult(
  message: PromptMessage,
  tokens: number,
  tokenizer: Tokenizer,
): PromptMessage | undefined {
  const [part] = message.parts;
  if (part?.kind !== 'toolResult' || tokens <= WORTH_SHORTENING) return undefined;
  const content = shortened(part.content, tokens, RESULT_HEAD, tokenizer);
  return { ...message, parts: [{ ...part, content }] };
}

/** A text of so many tokens with only the first of them, and a note that tells. */
export function shortened(text: string, tokens: number, keep: number, tokenizer: Tokenizer): string {
  return `${head(text, keep, tokenizer)}\n[… shortened, ${tokens} tokens]`;
}

/** The beginning of a text, of at most so many tokens; never half a character. */
export function head(text: string, tokens: number, tokenizer: Tokenizer): string {
  let length = tokens * 8; // more than any language has in as few
  let start = whole(text, length);
  for (let counted = tokenizer.count(start); counted > tokens; counted = tokenizer.count(start)) {
    length = Math.min(start.length - 1, Math.floor((start.length * tokens) / counted));
    start = whole(text, length);
  }
  return start;
}

/** A copy, so that what remembers it (tokenizers do) does not keep the whole text, which a slice is only a view of. */
function whole(text: string, length: number): string {
  const start = text.slice(0, length).replace(/[\ud800-\udbff]$/, '');
  return Buffer.from(start, 'utf16le').toString('utf16le');
}
