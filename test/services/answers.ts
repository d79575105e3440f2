/** Answers as tests speak of them: a model at an endpoint, and streams of events that are taken one by one. */
import { fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import type { Status } from '../../gen/google/rpc/status_pb.ts';
import {
  type ChatEvent,
  type ChatRequestSchema,
  type ResumeChatRequestSchema,
  type Run,
  RunStatusSchema,
} from '../../gen/parley/v1/chat_service_pb.ts';
import { FinishReasonSchema } from '../../gen/parley/v1/content_pb.ts';
import { type Clients, type Parley, startParley } from '../harness.ts';
import { delta, ending, ModelEndpoint, type Written } from '../models/endpoint.ts';
import { failure, summary } from '../refusal.ts';

export type ChatAsk = Exclude<MessageInitShape<typeof ChatRequestSchema>, { $typeName: string }>;
export type ResumeAsk = Exclude<MessageInitShape<typeof ResumeChatRequestSchema>, { $typeName: string }>;

/** Never to be seen by anybody but the endpoint. */
export const KEY = 'sk-test-never-to-be-seen';

/** A server for all tests of a file, whose models are at an endpoint that answers as each test says. */
export function useEndpoint(settings: NodeJS.ProcessEnv = {}): { parley: Parley; endpoint: ModelEndpoint } {
  const endpoint = new ModelEndpoint();
  const parley = {} as Parley;
  beforeAll(async () => {
    await endpoint.start();
    const models = { PARLEY_MODEL: 'test', OPENAI_BASE_URL: endpoint.url, OPENAI_API_KEY: KEY };
    Object.assign(parley, await startParley({ ...models, ...settings }));
  });
  afterAll(async () => {
    await parley.stop();
    endpoint.close();
  });
  return { parley, endpoint };
}

/** A stream of events, taken one by one. */
export class Answer {
  readonly #abort = new AbortController();
  readonly #responses: AsyncIterator<{ event?: ChatEvent | undefined }>;
  /** All that were taken. */
  readonly events: ChatEvent[] = [];

  constructor(open: (options: { signal: AbortSignal }) => AsyncIterable<{ event?: ChatEvent | undefined }>) {
    this.#responses = open({ signal: this.#abort.signal })[Symbol.asyncIterator]();
  }

  static to({ chat }: Clients, ask: ChatAsk): Answer {
    return new Answer((options) => chat.chat(ask, options));
  }

  static resumed({ chat }: Clients, ask: ResumeAsk): Answer {
    return new Answer((options) => chat.resumeChat(ask, options));
  }

  get runId(): string {
    return this.events[0]!.runId;
  }

  async next(): Promise<ChatEvent> {
    const { done, value } = await this.#responses.next();
    if (done) throw new Error('the stream ended');
    this.events.push(value.event!);
    return value.event!;
  }

  /** Takes events until this much has been said. */
  async heard(text: string): Promise<this> {
    while (!textOf(this.events).includes(text)) await this.next();
    return this;
  }

  /** Takes all that is left. The stream ends with OK, after exactly one last event, and without gaps. */
  async rest(): Promise<ChatEvent[]> {
    for (;;) {
      const { done, value } = await this.#responses.next();
      if (done) break;
      this.events.push(value.event!);
    }
    expectWhole(this.events);
    return this.events;
  }

  /** What the stream ends with, whatever comes before. */
  async end(): Promise<string> {
    return summary(await failure(this.rest()));
  }

  leave(): void {
    this.#abort.abort();
  }
}

/** Asks, and takes the whole answer. */
export function chat(parley: Clients, ask: ChatAsk): Promise<ChatEvent[]> {
  return Answer.to(parley, ask).rest();
}

/** Says a line, and takes the whole answer in short. */
export async function chatAbout(parley: Clients, sessionId: string, content: string): Promise<string[]> {
  return told(await chat(parley, { sessionId, messages: [{ content }] }));
}

/** Takes the events of a run after an offset. */
export function resume(parley: Clients, ask: ResumeAsk): Promise<ChatEvent[]> {
  return Answer.resumed(parley, ask).rest();
}

/** Offsets without gaps, one run, and a last event in the last place only. */
export function expectWhole(events: readonly ChatEvent[]): void {
  const first = events[0]?.offset ?? 1;
  expect(events.map(({ offset }) => offset)).toEqual(events.map((_, index) => first + index));
  expect(new Set(events.map(({ runId }) => runId)).size).toBeLessThan(2);
  expect(events.map(isLast)).toEqual(events.map((_, index) => index === events.length - 1));
}

export function isLast({ event }: ChatEvent): boolean {
  return event.case === 'completed' || event.case === 'failed' || event.case === 'cancelled';
}

/** Events in short, pieces of one kind as one: `started`, `text Hello.`, `completed STOP`, `failed MODEL_TIMEOUT`. */
export function told(events: readonly ChatEvent[]): string[] {
  const lines: string[] = [];
  let before: string | undefined;
  for (const event of events) {
    const [kind, words] = inShort(event);
    const pieces = kind === before && (kind === 'text' || kind === 'reasoning' || kind === 'refusal');
    if (pieces) lines[lines.length - 1] += words;
    else lines.push(words === '' ? kind : `${kind} ${words}`);
    before = kind;
  }
  return lines;
}

function inShort({ event }: ChatEvent): [kind: string, words: string] {
  switch (event.case) {
    case 'textDelta':
    case 'reasoningDelta':
    case 'refusalDelta':
      return [event.case.slice(0, -'Delta'.length), event.value];
    case 'toolCallDelta': {
      const { index, id, name, arguments: text } = event.value;
      return ['call', [index, id, name, text].join(' ')];
    }
    case 'completed':
      return ['completed', FinishReasonSchema.value[event.value.finishReason]!.localName];
    case 'failed':
      return ['failed', reasonOf(event.value.status)];
    default:
      return [event.case!, ''];
  }
}

/** What was said in words. */
export function textOf(events: readonly ChatEvent[]): string {
  return events.map(({ event }) => (event.case === 'textDelta' ? event.value : '')).join('');
}

/** The reason in the details of a status. */
export function reasonOf(status: Status | undefined): string {
  const info = status?.details.find(({ typeUrl }) => typeUrl.endsWith(ErrorInfoSchema.typeName));
  return info ? fromBinary(ErrorInfoSchema, info.value).reason : '';
}

/** The turn a run left: what its last event says. */
export function leftTurn(events: readonly ChatEvent[]) {
  const { event } = events.at(-1)!;
  if (event.case === 'completed') return event.value.turn;
  return event.case === 'failed' || event.case === 'cancelled' ? event.value.partial : undefined;
}

export async function getRun({ chat }: Clients, sessionId: string, runId: string): Promise<Run> {
  return (await chat.getRun({ sessionId, runId })).run!;
}

export function statusOf({ status }: Run): string {
  return RunStatusSchema.value[status]!.localName;
}

/** An answer that is held in the middle until it is let go. */
export function held(first: string, then = ''): { written: AsyncIterable<Written>; letGo: () => void } {
  const gate = Promise.withResolvers<void>();
  const written = async function* (): AsyncGenerator<Written> {
    if (first !== '') yield delta({ content: first });
    await gate.promise;
    if (then !== '') yield delta({ content: then });
    yield* ending();
  };
  return { written: { [Symbol.asyncIterator]: written }, letGo: () => gate.resolve() };
}
