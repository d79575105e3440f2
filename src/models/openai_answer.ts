/** An answer of OpenAI's chat completions, read chunk by chunk: OpenAI's own, and what others make of it. */
import type { Usage } from '../chat/content.ts';
import { type AnswerPiece, LONGEST_ANSWER, MOST_PARTS } from './model.ts';
import { type EndpointErrors, shown } from './openai_errors.ts';
import { type CallFragment, ToolCalls } from './tool_calls.ts';
import { WholeCharacters } from './whole_characters.ts';

type End = Extract<AnswerPiece, { kind: 'end' }>;
type Fields = { readonly [key: string]: unknown };

const FINISH_REASONS: { readonly [reason: string]: End['finishReason'] | undefined } = {
  length: 'LENGTH',
  tool_calls: 'TOOL_CALLS',
  function_call: 'TOOL_CALLS',
  content_filter: 'CONTENT_FILTER',
};

export class OpenAiAnswer {
  readonly #errors: EndpointErrors;
  readonly #texts = {
    text: new WholeCharacters(),
    reasoning: new WholeCharacters(),
    refusal: new WholeCharacters(),
  };
  readonly #calls: ToolCalls;
  #bytes = 0;
  /** How often it went from one kind of thing to another. */
  #parts = 0;
  #kind: AnswerPiece['kind'] | undefined;
  #done = false;
  #finish: End['finishReason'] | undefined;
  #usage: Usage | undefined;

  constructor(errors: EndpointErrors) {
    this.#errors = errors;
    this.#calls = new ToolCalls(errors);
  }

  /** Whether the endpoint said how the answer ended; only the usage may still come. */
  get isFinished(): boolean {
    return this.#finish !== undefined;
  }

  /** Whether it is as long as an answer may be. */
  get isFull(): boolean {
    return this.#bytes > LONGEST_ANSWER || this.#parts > MOST_PARTS;
  }

  /** Whether nothing more is to be read. */
  get isOver(): boolean {
    return this.#done || this.isFull;
  }

  /** What a chunk says, or an answer that came whole, given as JSON text. */
  read(json: string): AnswerPiece[] {
    if (this.isOver) return [];
    if (json === '[DONE]') {
      this.#done = true;
      this.#finish ??= 'STOP'; // some never say why
      return [];
    }
    const chunk = this.#parsed(json);
    const { choices, usage, error } = this.#fields(chunk, 'a chunk');
    if (error) throw this.#errors.ofObject(error);
    const usageRead = usageOf(usage);
    this.#usage = usageRead ?? this.#usage; // the last one counts: some send it with every chunk, growing
    if (Array.isArray(choices)) return choices.flatMap((choice) => this.#readChoice(choice));
    if (usageRead) return [];
    throw this.#errors.unreadable(`no choices: ${json}`);
  }

  /** The last pieces. */
  end(): AnswerPiece[] {
    if (this.isFull) return [{ kind: 'end', finishReason: 'LENGTH', usage: this.#usage }];
    if (this.#finish === undefined) throw this.#errors.brokenOff();
    const calls = this.#calls.end();
    const texts = (['text', 'reasoning', 'refusal'] as const)
      .map((kind) => ({ kind, text: this.#texts[kind].end() }))
      .filter(({ text }) => text !== '');
    // Some say `stop` of everything.
    const finishReason = this.#finish === 'STOP' && this.#calls.any ? 'TOOL_CALLS' : this.#finish;
    return [...texts, ...calls, { kind: 'end', finishReason, usage: this.#usage }];
  }

  #parsed(json: string): unknown {
    try {
      return JSON.parse(json);
    } catch {
      throw this.#errors.unreadable(`no JSON: ${json}`);
    }
  }

  #readChoice(value: unknown): AnswerPiece[] {
    const choice = this.#fields(value, 'a choice');
    if (choice.index) return []; // one answer was asked for
    const said = this.#fields(choice.delta ?? choice.message ?? {}, 'a delta');
    const pieces: AnswerPiece[] = [];
    this.#say(pieces, 'reasoning', said.reasoning_content ?? said.reasoning);
    this.#say(pieces, 'text', said.content);
    this.#say(pieces, 'refusal', said.refusal);
    for (const fragment of this.#fragmentsOf(said)) {
      for (const piece of this.#calls.push(fragment)) this.#add(pieces, piece, piece.arguments);
    }
    const reason = choice.finish_reason;
    if (typeof reason === 'string' && reason !== '') this.#finish = FINISH_REASONS[reason] ?? 'STOP';
    return pieces;
  }

  #say(pieces: AnswerPiece[], kind: 'text' | 'reasoning' | 'refusal', value: unknown): void {
    if (value === undefined || value === null || value === '') return;
    const text = this.#texts[kind].push(this.#string(value));
    if (text !== '') this.#add(pieces, { kind, text }, text);
  }

  #add(pieces: AnswerPiece[], piece: AnswerPiece, text: string): void {
    this.#bytes += Buffer.byteLength(text);
    if (piece.kind !== this.#kind) this.#parts++;
    this.#kind = piece.kind;
    if (!this.isFull) pieces.push(piece);
  }

  #fragmentsOf({ tool_calls: calls, function_call: old }: Fields): CallFragment[] {
    if (calls === undefined || calls === null)
      return old ? [this.#fragmentOf({ index: 0, function: old })] : [];
    if (!Array.isArray(calls)) throw this.#errors.unreadable(`tool calls: ${shown(calls)}`);
    return calls.map((call) => this.#fragmentOf(call));
  }

  #fragmentOf(call: unknown): CallFragment {
    const { index, id, function: called } = this.#fields(call, 'a tool call');
    const { name, arguments: text } = this.#fields(called ?? {}, 'a function');
    return {
      index: typeof index === 'number' ? index : undefined,
      id: this.#string(id ?? ''),
      name: this.#string(name ?? ''),
      // Some give the arguments as what they are and not as text.
      arguments: typeof text === 'object' && text !== null ? this.#json(text) : this.#string(text ?? ''),
    };
  }

  #fields(value: unknown, what: string): Fields {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
    throw this.#errors.unreadable(`${what}: ${shown(value)}`);
  }

  #json(value: object): string {
    try {
      return JSON.stringify(value);
    } catch {
      throw this.#errors.unreadable('arguments that are nested too deeply');
    }
  }

  #string(value: unknown): string {
    if (typeof value === 'string') return value;
    throw this.#errors.unreadable(`no text: ${shown(value)}`);
  }
}

function usageOf(usage: unknown): Usage | undefined {
  if (typeof usage !== 'object' || usage === null) return undefined;
  const {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: total,
  } = usage as Fields;
  if (!isCount(inputTokens) || !isCount(outputTokens)) return undefined;
  return { inputTokens, outputTokens, totalTokens: isCount(total) ? total : inputTokens + outputTokens };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}
