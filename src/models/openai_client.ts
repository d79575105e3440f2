/** OpenAI's SDK, and the endpoint it speaks to. */
import type { OpenAI } from 'openai';

const OPENAI = 'https://api.openai.com/v1';
/** Goes for a key where there is none: local endpoints ask for none, others answer 401. */
const NO_KEY = 'none';

export interface Endpoint {
  /** Undefined: OpenAI's own. */
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
}

/** Whether there is any hope: OpenAI itself answers nobody without a key. */
export function isConfigured({ baseUrl, apiKey }: Endpoint): boolean {
  return baseUrl !== undefined || apiKey !== undefined;
}

/** The SDK costs a tenth of a second and twenty megabytes, so it comes with the first request. */
export async function connect({ baseUrl, apiKey }: Endpoint): Promise<OpenAI> {
  const { OpenAI } = await import('openai');
  // All that it would else take from the environment is said; and it is not to write the log.
  return new OpenAI({
    baseURL: baseUrl ?? OPENAI,
    apiKey: apiKey ?? NO_KEY,
    adminAPIKey: null,
    maxRetries: 0,
    logLevel: 'off',
    fetch: fetchBounded,
  });
}

/** As much of an error as is read: its words are for a log. In bytes. */
const LONGEST_ERROR = 64 * 1024;

/** `fetch`, but for errors: the SDK reads those to their end, which need not come. */
async function fetchBounded(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (response.ok || !response.body) return response;
  const { status, statusText, headers } = response;
  return new Response(await beginning(response.body), { status, statusText, headers });
}

async function beginning(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let left = LONGEST_ERROR;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) break; // which cancels the rest
  }
  return Buffer.concat(chunks);
}
