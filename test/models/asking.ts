/** Asks a model at an endpoint, as a run does. */
import type { ParleyError } from '../../src/errors.ts';
import type { AnswerPiece, Generation, PromptMessage } from '../../src/models/model.ts';
import { OpenAiModel } from '../../src/models/openai.ts';
import type { Patience } from '../../src/models/openai_call.ts';
import type { ModelEndpoint } from './endpoint.ts';

export const KEY = 'sk-test-never-to-be-seen';
export const HELLO: readonly PromptMessage[] = [
  { role: 'USER', name: '', parts: [{ kind: 'text', text: 'hello' }] },
];

interface Asked {
  readonly messages?: readonly PromptMessage[];
  readonly generation?: Partial<Generation>;
  readonly signal?: AbortSignal;
  readonly patience?: Partial<Patience>;
}

export function modelAt(endpoint: ModelEndpoint, patience?: Partial<Patience>): OpenAiModel {
  return new OpenAiModel({ baseUrl: endpoint.url, apiKey: KEY }, () => {}, patience);
}

/** The pieces of an answer, as they come. */
export function answerOf(endpoint: ModelEndpoint, asked: Asked = {}): AsyncGenerator<AnswerPiece> {
  const { messages = HELLO, generation, signal = new AbortController().signal, patience } = asked;
  return modelAt(endpoint, patience).answer(messages, { model: 'test', ...generation }, signal);
}

/** All pieces of an answer. */
export function ask(endpoint: ModelEndpoint, asked?: Asked): Promise<AnswerPiece[]> {
  return Array.fromAsync(answerOf(endpoint, asked));
}

/** What an answer failed with, and what had been said by then. */
export async function failureOf(
  answer: AsyncIterable<AnswerPiece>,
): Promise<{ error: ParleyError; said: AnswerPiece[] }> {
  const said: AnswerPiece[] = [];
  try {
    for await (const piece of answer) said.push(piece);
  } catch (error) {
    return { error: error as ParleyError, said };
  }
  throw new Error('the answer came to its end');
}

/** What is said in pieces of a kind, joined. */
export function textOf(
  pieces: readonly AnswerPiece[],
  kind: 'text' | 'reasoning' | 'refusal' = 'text',
): string {
  return pieces.map((piece) => (piece.kind === kind && 'text' in piece ? piece.text : '')).join('');
}
