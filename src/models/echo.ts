/** The built-in model `echo`: says the last message back, word by word, so that chat works without an endpoint. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Part } from '../chat/content.ts';
import type { Milliseconds } from '../sessions/session.ts';
import {
  type AnswerPiece,
  type Generation,
  LONGEST_ANSWER,
  type Model,
  type PromptMessage,
} from './model.ts';

/** The time from word to word: an answer is to be seen coming, resumed in the middle, and cancelled. */
const BEAT: Milliseconds = 12;
/** However much is said: where there are more words than beats in it, several are said at a beat. */
const LONGEST: Milliseconds = 1500;
/** What is said to a message with neither text nor tool results. */
const NOTHING_TO_SAY = '...';

/**
 * Says the last message's texts, one per line; without any, what its tool results say. A word counts as a token,
 * both of `maxTokens` and of the usage; nothing else of the generation matters to it.
 */
export class Echo implements Model {
  async *answer(
    messages: readonly PromptMessage[],
    generation: Generation,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerPiece> {
    signal.throwIfAborted();
    const whole = heard(messages.at(-1)?.parts ?? []) || NOTHING_TO_SAY;
    const words = wordsOf(cut(whole));
    const said = words.slice(0, generation.maxTokens);
    const atOnce = Math.ceil((said.length * BEAT) / LONGEST);
    for (const [i, text] of said.entries()) {
      if (i > 0 && i % atOnce === 0) await beat(signal);
      yield { kind: 'text', text };
    }
    signal.throwIfAborted();
    const inputTokens = messages.reduce((sum, { parts }) => sum + wordsOf(heard(parts)).length, 0);
    yield {
      kind: 'end',
      finishReason: said.length < words.length || cut(whole) !== whole ? 'LENGTH' : 'STOP',
      usage: { inputTokens, outputTokens: said.length, totalTokens: inputTokens + said.length },
    };
  }
}

async function beat(signal: AbortSignal): Promise<void> {
  await sleep(BEAT, undefined, { signal }).catch(() => {}); // what it rejects with is not the signal's reason
  signal.throwIfAborted();
}

function heard(parts: readonly Part[]): string {
  const texts = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
  const results = parts.flatMap((part) => (part.kind === 'toolResult' ? [part.content] : []));
  return texts.join('\n') || results.join('\n');
}

/** As much of a text as an answer may be, without half a character at its end. */
function cut(text: string): string {
  if (text.length <= LONGEST_ANSWER / 3) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= LONGEST_ANSWER) return text;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, LONGEST_ANSWER), {
    stream: true,
  });
}

/** Words with the white space after them (the first with that before it too): joined, they are the text. */
function wordsOf(text: string): string[] {
  return text.match(/^\s*\S+\s*|\S+\s*|^\s+$/g) ?? [];
}
