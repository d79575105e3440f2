/** Every model that is not built in: asked for at an endpoint that speaks OpenAI's chat completions, by OpenAI's SDK. */
import type { OpenAI } from 'openai';
import { EventStream } from './event_stream.ts';
import {
  type AnswerPiece,
  type Generation,
  LONGEST_ANSWER,
  type Model,
  type PromptMessage,
} from './model.ts';
import { OpenAiAnswer } from './openai_answer.ts';
import { OpenAiCall, PATIENCE, type Patience } from './openai_call.ts';
import { connect, type Endpoint, isConfigured } from './openai_client.ts';
import { EndpointErrors, type ModelFailed } from './openai_errors.ts';
import { requestOf } from './openai_request.ts';

const NOTHING = new Uint8Array();

/**
 * The SDK makes the request; what comes back is read here, as it comes. Its own reader logs what it cannot parse, takes
 * a comment for silence, and its retries wait as long as an endpoint pleases.
 */
export class OpenAiModel implements Model {
  readonly #endpoint: Endpoint;
  readonly #patience: Patience;
  readonly #failed: ModelFailed;
  #client: OpenAI | undefined;

  constructor(endpoint: Endpoint, failed: ModelFailed, patience: Partial<Patience> = {}) {
    this.#endpoint = endpoint;
    this.#failed = failed;
    this.#patience = { ...PATIENCE, ...patience };
  }

  async *answer(
    messages: readonly PromptMessage[],
    generation: Generation,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerPiece> {
    signal.throwIfAborted();
    const errors = new EndpointErrors(this.#endpoint.apiKey, generation.model, this.#failed);
    if (!isConfigured(this.#endpoint)) throw errors.unconfigured();
    this.#client ??= await connect(this.#endpoint);
    const client = this.#client;
    signal.throwIfAborted();
    const call = new OpenAiCall(errors, this.#patience, signal);
    let whole = false;
    try {
      const body = requestOf(messages, generation);
      const response = await call.open((signal) =>
        client.chat.completions.create(body, { signal }).asResponse(),
      );
      const events = readerOf(response, errors);
      const answer = new OpenAiAnswer(errors);
      for (let bytes: Uint8Array | undefined = NOTHING; bytes && !answer.isOver; ) {
        bytes = await call.read();
        for (const json of bytes ? events.push(bytes) : events.end()) {
          for (const piece of answer.read(json)) {
            yield piece;
            signal.throwIfAborted();
          }
        }
        if (events.held > LONGEST_ANSWER) throw errors.unreadable('an event without an end');
        if (answer.isFinished) call.expectOnlyUsage();
      }
      whole = !answer.isFull;
      for (const piece of answer.end()) yield piece;
    } finally {
      call.close(whole);
    }
  }
}

function readerOf(response: Response, errors: EndpointErrors): EventStream | WholeBody {
  const type = (response.headers.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase();
  if (type === 'text/html') throw errors.unreadable('a page for people');
  return type === 'application/json' ? new WholeBody() : new EventStream();
}

/** A body that is no stream of events but one answer, as servers send it that do not stream. */
class WholeBody {
  readonly #decoder = new TextDecoder();
  #text = '';

  get held(): number {
    return this.#text.length;
  }

  push(bytes: Uint8Array): string[] {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    return [];
  }

  end(): string[] {
    return [this.#text];
  }
}
