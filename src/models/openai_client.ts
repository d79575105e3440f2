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
  });
}
