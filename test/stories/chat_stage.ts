/** Two Parley processes, one Redis, and a model endpoint in this process that says what the story has it say. */
import { PassThrough } from 'node:stream';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CreateSessionRequestSchema } from '../../gen/parley/v1/session_service_pb.ts';
import { type Clients, newId } from '../harness.ts';
import {
  delta,
  type EndpointRequest,
  ending,
  type ModelEndpoint,
  startEndpoint,
} from '../models/endpoint.ts';
import { ParleyProcess, sharedRedis } from '../processes.ts';
import { type ChatAsk, chat, type Listener } from './chat_listener.ts';

type SessionInit = NonNullable<MessageInitShape<typeof CreateSessionRequestSchema>['session']>;

/** Waits within this for what must happen: generous, as the machine is not ours alone. */
export const SOON = { timeout: 20_000, interval: 10 };

/** One of the processes, with clients of it. */
export interface Server extends Clients {
  readonly process: ParleyProcess;
  readonly address: string;
}

export interface Stage {
  readonly keyPrefix: string;
  readonly endpoint: ModelEndpoint;
  readonly one: Server;
  readonly two: Server;
  /** Starts another process. */
  another(settings?: NodeJS.ProcessEnv): Promise<Server>;
}

export async function setStage(settings: NodeJS.ProcessEnv = {}): Promise<Stage> {
  const endpoint = await startEndpoint();
  const keyPrefix = newId();
  const env = {
    ...sharedRedis(),
    PARLEY_KEY_PREFIX: keyPrefix,
    OPENAI_BASE_URL: endpoint.url,
    OPENAI_API_KEY: 'a-key',
    PARLEY_MODEL: 'test-model',
    ...settings,
  };
  const another = async (more: NodeJS.ProcessEnv = {}) => {
    const process = new ParleyProcess({ ...env, ...more });
    return Object.assign(await process.ready(), { process, address: await process.address() });
  };
  const [one, two] = await Promise.all([another(), another()]);
  return { keyPrefix, endpoint, one, two, another };
}

export async function newSession({ sessions }: Clients, session: SessionInit = {}): Promise<string> {
  const sessionId = newId();
  await sessions.createSession({ sessionId, session });
  return sessionId;
}

/** An answer the story gives word by word. */
export interface Answer {
  /** The request it answers. */
  readonly asked: Promise<EndpointRequest>;
  say(...words: string[]): void;
  finish(): void;
}

/** What the next request is answered with. */
export function nextAnswer(endpoint: ModelEndpoint): Answer {
  const written = new PassThrough({ objectMode: true });
  const asked = Promise.withResolvers<EndpointRequest>();
  endpoint.answersOnce((request) => {
    asked.resolve(request);
    return written;
  });
  const write = (chunks: Iterable<unknown>) => {
    for (const chunk of chunks) written.write(chunk);
  };
  return {
    asked: asked.promise,
    say: (...words) => write(words.map((content) => delta({ content }))),
    finish: () => {
      write(ending());
      written.end();
    },
  };
}

/** Returns when the client of a request is gone before the answer is whole. */
export async function hungUp({ hungUp }: EndpointRequest): Promise<void> {
  if (!hungUp.aborted) await new Promise((resolve) => hungUp.addEventListener('abort', resolve));
}

/** A run that has said something, and goes on as the story has it. */
export interface Begun {
  readonly sessionId: string;
  readonly runId: string;
  readonly answer: Answer;
  readonly request: EndpointRequest;
  /** Whoever asked. */
  readonly caller: Listener;
}

/** Asks a question and waits until its caller has heard the first words of the answer. */
export async function begin(
  { endpoint }: Stage,
  server: Server,
  words: string,
  ask: ChatAsk = {},
): Promise<Begun> {
  const sessionId = ask.sessionId ?? (await newSession(server));
  const answer = nextAnswer(endpoint);
  const messages = [{ content: 'A question?' }];
  const caller = chat(server, { messages, ...ask, sessionId });
  const request = await answer.asked;
  answer.say(words);
  await caller.hears(words);
  return { sessionId, runId: caller.runId, answer, request, caller };
}
