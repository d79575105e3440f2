/** What a model endpoint fails with, as our errors: in our words, the endpoint's own kept for the log. */
import { type ErrorContext, ParleyError, type Reason } from '../errors.ts';
import type { Milliseconds } from '../sessions/session.ts';

type ModelReason = Extract<Reason, `MODEL_${string}`>;

/** What callers are told; `{model}` is the model's name. */
const MESSAGES: Record<ModelReason, string> = {
  MODEL_UNAUTHORIZED: "the model endpoint refused the server's credentials",
  MODEL_NOT_FOUND: 'the model endpoint does not know the model {model}',
  MODEL_TIMEOUT: 'the model endpoint did not answer in time',
  MODEL_RATE_LIMITED: 'the model endpoint takes no more requests for now',
  MODEL_REFUSED: 'the model endpoint refused the request',
  MODEL_UNAVAILABLE: 'the model endpoint does not answer',
  MODEL_ANSWER_INVALID: 'what the model endpoint answered cannot be read',
};

/** More than this of an endpoint's words helps nobody who reads a log. */
const LONGEST_CAUSE = 2000;

const LONGEST_WAIT: Milliseconds = 24 * 60 * 60 * 1000;

/** What the `openai` SDK throws, as far as it matters here: looked at by shape, as the SDK may not be loaded. */
interface Failure {
  readonly message: string;
  readonly status?: number;
  readonly code?: unknown;
  readonly headers?: Headers;
  readonly cause?: unknown;
}

/** Tells whoever runs the server, who alone may see the cause, that a model failed. */
export type ModelFailed = (error: ParleyError, model: string) => void;

export class EndpointErrors {
  readonly #secret: string | undefined;
  readonly #model: string;
  readonly #failed: ModelFailed;

  /** Of a model. `secret`: what is never to be seen, not even in a log; `failed`: is told of each error. */
  constructor(secret: string | undefined, model: string, failed: ModelFailed) {
    this.#secret = secret;
    this.#model = model;
    this.#failed = failed;
  }

  /** Of an endpoint that nobody named, and nobody has a key for. */
  unconfigured(): ParleyError {
    const message =
      'no model endpoint is configured: set OPENAI_API_KEY, or OPENAI_BASE_URL; the model "echo" needs neither';
    return this.#told(new ParleyError('MODEL_UNAUTHORIZED', message));
  }

  /** Of a request that got no answer: refused by a status, or broken on the way. */
  ofRequest(error: unknown): ParleyError {
    const { status, headers } = error as Failure;
    const retryAfterMs = headers && mayPass(error) ? retryAfter(headers) : undefined;
    return this.#make(status === undefined ? 'MODEL_UNAVAILABLE' : reasonOfStatus(status), wordsOf(error), {
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }

  /** Of an `error` object in the place of an answer, or in the midst of one. */
  ofObject(error: unknown): ParleyError {
    return this.#make(reasonOfObject(error), shown(error));
  }

  /** Of an answer that broke off. */
  brokenOff(error?: unknown): ParleyError {
    return this.#make('MODEL_UNAVAILABLE', error === undefined ? 'it ended early' : wordsOf(error));
  }

  timeout(waitedFor: string): ParleyError {
    return this.#make('MODEL_TIMEOUT', `waited in vain for ${waitedFor}`);
  }

  unreadable(what: string): ParleyError {
    return this.#make('MODEL_ANSWER_INVALID', what);
  }

  /** The cause is nothing but text: the SDK's own errors carry headers and bodies into the log. */
  #make(reason: ModelReason, words: string, context: ErrorContext = {}): ParleyError {
    const text = this.#secret ? words.replaceAll(this.#secret, '[key]') : words;
    const cause = new Error(text.slice(0, LONGEST_CAUSE));
    const message = MESSAGES[reason].replace('{model}', () => JSON.stringify(this.#model));
    return this.#told(new ParleyError(reason, message, { ...context, cause }));
  }

  #told(error: ParleyError): ParleyError {
    this.#failed(error, this.#model);
    return error;
  }
}

/** Whether asking again may help: what a busy or restarting endpoint answers, but no limit that only money lifts. */
export function mayPass(error: unknown): boolean {
  const { status, code } = error as Failure;
  if (status === undefined) return true; // no connection, or a broken one
  if (code === 'insufficient_quota') return false;
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

/** How long an endpoint asks to be left alone, a day at most; undefined when it does not say. */
export function retryAfter(headers: Headers): Milliseconds | undefined {
  const exact = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  const text = headers.get('retry-after') ?? '';
  const seconds = Number.parseFloat(text);
  const wait = Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1000;
  const asked = exact >= 0 ? exact : wait;
  return Number.isNaN(asked) ? undefined : Math.ceil(Math.min(Math.max(0, asked), LONGEST_WAIT));
}

/** A value from JSON, as text for an error; what JSON can be read from may be too deep to be written again. */
export function shown(value: unknown): string {
  try {
    return String(JSON.stringify(value));
  } catch {
    return 'something nested too deeply to be shown';
  }
}

function reasonOfStatus(status: number): ModelReason {
  if (status === 401 || status === 403) return 'MODEL_UNAUTHORIZED';
  if (status === 404) return 'MODEL_NOT_FOUND';
  if (status === 408) return 'MODEL_TIMEOUT';
  if (status === 429) return 'MODEL_RATE_LIMITED';
  return status >= 400 && status < 500 ? 'MODEL_REFUSED' : 'MODEL_UNAVAILABLE';
}

/** The words providers use for `code` and `type`, in the order they are looked for. */
const WORDS: readonly (readonly [RegExp, ModelReason])[] = [
  [/rate_?limit|quota|too_many/i, 'MODEL_RATE_LIMITED'],
  [/auth|api_key|permission|forbidden/i, 'MODEL_UNAUTHORIZED'],
  [/not_?found/i, 'MODEL_NOT_FOUND'],
  [/time_?d?_?out/i, 'MODEL_TIMEOUT'],
  [/invalid|bad_?request|context_length|content_policy/i, 'MODEL_REFUSED'],
];

function reasonOfObject(error: unknown): ModelReason {
  if (typeof error !== 'object' || error === null) return 'MODEL_UNAVAILABLE';
  const { code, type } = error as { code?: unknown; type?: unknown };
  const told = [code, type].filter((word) => typeof word === 'string' || typeof word === 'number');
  const status = Number(told[0]);
  if (status >= 400 && status < 600) return reasonOfStatus(status);
  const words = told.join(' ');
  return WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? 'MODEL_UNAVAILABLE';
}

/** An error's message with those of its causes, which say what `fetch failed` does not. */
function wordsOf(error: unknown): string {
  const words: string[] = [];
  for (let next = error; next instanceof Error && words.length < 5; next = next.cause)
    words.push(next.message);
  return words.join(': ') || String(error);
}
