/** Starts the model that the scenarios of Chat ask: an endpoint in a process of its own. */
import { type Bare, startBare } from './bare.ts';

/** How the model answers, whatever it is asked. */
export interface ModelScript {
  /** How many tokens an answer has, each of {@link TOKEN_BYTES}. */
  readonly tokens: number;
  /** How long an answer waits for each next token, in milliseconds; 0: as fast as the endpoint can. */
  readonly everyMs: number;
}

/** What a token's text takes. */
export const TOKEN_BYTES = 5;

/** The name it is asked for by; it answers to any. */
export const MODEL = 'bench';

/** A model's endpoint; `address` goes into {@link baseUrl}. */
export function startModel(script: ModelScript): Promise<Bare> {
  return startBare('model', script);
}

/** What OPENAI_BASE_URL is to be. */
export function baseUrl({ address }: Bare): string {
  return `http://${address}/v1`;
}
