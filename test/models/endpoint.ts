/**
 * A model endpoint on a real socket that speaks OpenAI's chat completions as they are on the wire, and can misbehave in
 * every way that endpoints do. A test says what each request is answered with:
 *
 *     const endpoint = await startEndpoint();                      // closed when the test is over
 *     endpoint.answers(({ body }) => text(`You asked ${body.model}.`));
 *     endpoint.answersOnce(refusal(429, { 'retry-after': '0' }));  // first, before the handler is asked
 *
 * A behaviour is a refusal (another status than 200, and a body), or what is written of an answer: any iterable, also
 * an async generator, of chunks (objects, written as events), of {@link raw} text or bytes, each in a TCP write of its
 * own, or of {@link CUT}, which destroys the connection. `[DONE]` is among them: {@link text} and its siblings end with
 * it. An async generator can hold an answer in the middle and let it go on:
 *
 *     const gate = Promise.withResolvers<void>();
 *     endpoint.answers(async function* () {
 *       yield delta({ content: 'Wait ' });
 *       await gate.promise;
 *       yield* text('no longer');
 *     });
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../src/structs/json.ts';

/** A request as it came. */
export interface EndpointRequest {
  // biome-ignore lint/suspicious/noExplicitAny: the tests look wherever they like
  readonly body: any;
  /** The body's text. */
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
  /** Aborts when the client hangs up before the answer is whole; `aborted` says whether it did. */
  readonly hungUp: AbortSignal;
}

/** Destroys the connection. */
export const CUT = Symbol('cut');
/** Written as it is. */
export interface Raw {
  readonly raw: string | Uint8Array;
}
export type Written = JsonObject | Raw | typeof CUT;

export interface Answer {
  /** `cut` destroys the connection in the place of an answer. */
  readonly status?: number | 'cut';
  readonly headers?: Readonly<Record<string, string>>;
  readonly written: Iterable<Written> | AsyncIterable<Written>;
}
export type Behaviour = Answer | Answer['written'];
export type Handler = (request: EndpointRequest) => Behaviour;

export class ModelEndpoint {
  /** All requests so far. */
  readonly requests: EndpointRequest[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #next: Handler[] = [];
  /** Requests for embeddings, which have handlers of their own. */
  readonly embeddingRequests: EndpointRequest[] = [];
  readonly #nextEmbeddings: Handler[] = [];
  #embedder: Handler = () => refusal(404);
  #handler: Handler = () => text('Hello from the endpoint.');

  /** What OPENAI_BASE_URL is to be. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Says how every request is answered. */
  answers(behaviour: Handler | Behaviour): void {
    this.#handler = handlerOf(behaviour);
  }

  /** Says how the next request is answered; several queue up. */
  answersOnce(behaviour: Handler | Behaviour): void {
    this.#next.push(handlerOf(behaviour));
  }

  /** Says how every request for embeddings is answered. */
  embeds(behaviour: Handler | Behaviour): void {
    this.#embedder = handlerOf(behaviour);
  }

  /** Says how the next request for embeddings is answered; several queue up. */
  embedsOnce(behaviour: Handler | Behaviour): void {
    this.#nextEmbeddings.push(handlerOf(behaviour));
  }

  /** How many connections there are. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await Array.fromAsync(incoming).catch(() => undefined);
    if (!bytes) return;
    const embeds = incoming.url === '/v1/embeddings';
    if (incoming.method !== 'POST' || !(embeds || incoming.url === '/v1/chat/completions')) {
      response.writeHead(404).end();
      return;
    }
    const hangUp = new AbortController();
    response.on('close', () => response.writableFinished || hangUp.abort());
    const text = Buffer.concat(bytes).toString();
    const request = { body: JSON.parse(text), text, headers: incoming.headers, hungUp: hangUp.signal };
    (embeds ? this.embeddingRequests : this.requests).push(request);
    const handler = embeds
      ? (this.#nextEmbeddings.shift() ?? this.#embedder)
      : (this.#next.shift() ?? this.#handler);
    const behaviour = handler(request);
    await write('written' in behaviour ? behaviour : { written: behaviour }, response);
  }
}

/** An endpoint that is closed when the test is over. */
export async function startEndpoint(): Promise<ModelEndpoint> {
  const endpoint = await new ModelEndpoint().start();
  onTestFinished(() => endpoint.close());
  return endpoint;
}

async function write({ status = 200, headers, written }: Answer, response: ServerResponse): Promise<void> {
  if (status === 'cut') return void response.socket?.destroy();
  response.writeHead(status, { 'content-type': 'text/event-stream; charset=utf-8', ...headers });
  response.flushHeaders();
  for await (const next of written) {
    if (response.destroyed) return;
    if (next === CUT) return void response.socket?.destroySoon();
    // The next is not written before this one left, so that each is a write of its own.
    await new Promise((left) => response.write(isRaw(next) ? next.raw : event(next), left));
  }
  response.end();
}

function handlerOf(behaviour: Handler | Behaviour): Handler {
  return typeof behaviour === 'function' ? behaviour : () => behaviour;
}

function isRaw(written: JsonObject | Raw): written is Raw {
  return typeof written.raw === 'string' || written.raw instanceof Uint8Array;
}

function event(chunk: JsonObject): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

export function raw(raw: string | Uint8Array): Raw {
  return { raw };
}

export const DONE = raw('data: [DONE]\n\n');

/** A chunk as OpenAI sends it. */
export function delta(delta: JsonObject, finishReason: string | null = null): JsonObject {
  return {
    ...CHUNK,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    usage: null,
  };
}

const CHUNK = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'test' };

/** The chunk after the last one. */
export function usage(input: number, output: number): JsonObject {
  const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
  return { ...CHUNK, choices: [], usage };
}

/** A fragment of a tool call. */
export function callDelta(index: number, called: JsonObject, id?: string): JsonObject {
  return delta({ tool_calls: [{ index, ...(id && { id, type: 'function' }), function: called }] });
}

/** How an answer ends when all went well. */
export function ending(finishReason = 'stop', [input, output] = [9, 5]): Written[] {
  return [delta({}, finishReason), usage(input!, output!), DONE];
}

/** A text, a chunk per word, with a pause before each when one is given. */
export function text(said: string, pause?: number): AsyncIterable<Written> {
  return again(async function* () {
    yield delta({ role: 'assistant', content: '', refusal: null });
    for (const word of said.match(/\S+\s*|\s+/g) ?? []) {
      if (pause !== undefined) await setTimeout(pause);
      yield delta({ content: word });
    }
    yield* ending();
  });
}

/** What is given, and then nothing for as long as the client listens. */
export function hanging(first: readonly Written[] = []): AsyncIterable<Written> {
  return again(async function* () {
    yield* first;
    await setTimeout(600_000, undefined, { ref: false });
  });
}

/** Something that every request gets from its beginning. */
function again(begin: () => AsyncGenerator<Written>): AsyncIterable<Written> {
  return { [Symbol.asyncIterator]: begin };
}

/** A status other than 200, with OpenAI's error body. */
export function refusal(
  status: number,
  headers: Record<string, string> = {},
  error: JsonObject = {},
): Answer {
  const body = { error: { message: `refused with ${status}`, type: 'test_error', code: null, ...error } };
  return json(body, status, headers);
}

/** A JSON body in one piece. */
export function json(body: JsonObject, status = 200, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    written: [raw(JSON.stringify(body))],
  };
}
