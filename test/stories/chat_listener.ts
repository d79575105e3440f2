/** Who listens to a run's events, and writes them down as they arrive. */
import { toBinary } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { vi } from 'vitest';
import { type ChatEvent, ChatEventSchema } from '../../gen/parley/v1/chat_service_pb.ts';
import type { Turn } from '../../gen/parley/v1/content_pb.ts';
import type { Clients } from '../harness.ts';
import { summary } from '../refusal.ts';
import type { RunStream, Told } from './chat_checker.ts';
import { reasonOf, saidIn } from './chat_records.ts';

/** Any stream of events: Chat's, ResumeChat's. */
export type OpenStream = (signal: AbortSignal) => AsyncIterable<{ readonly event?: ChatEvent | undefined }>;
export type ChatAsk = Parameters<Clients['chat']['chat']>[0];

/** Asks, and listens to the answer. */
export function chat({ chat }: Clients, ask: ChatAsk): Listener {
  return new Listener((signal) => chat.chat(ask, { signal }));
}

/** Listens to a run that was asked for elsewhere. */
export function resume({ chat }: Clients, sessionId: string, runId: string, afterOffset = 0): Listener {
  return new Listener(
    (signal) => chat.resumeChat({ sessionId, runId, afterOffset }, { signal }),
    afterOffset,
  );
}

/** Listens to the events of a session's runs, by FollowTurns. */
export function follow({ chat }: Clients, sessionId: string): Listener {
  return new Listener(async function* (signal) {
    for await (const { event } of chat.followTurns({ sessionId, includeDeltas: true }, { signal })) {
      if (event.case === 'runEvent') yield { event: event.value };
    }
  });
}

export class Listener implements RunStream {
  readonly after: number;
  readonly messages: ChatEvent[] = [];
  /** How it ended, as RunStream has it; `open` until it does. */
  end = 'open';
  /** Resolves with `end`. */
  readonly over: Promise<string>;
  readonly #abort = new AbortController();

  constructor(open: OpenStream, after = 0) {
    this.after = after;
    this.over = this.#read(open);
  }

  get events(): Told[] {
    return this.messages.map(told);
  }

  get runId(): string {
    return this.messages[0]!.runId;
  }

  /** All text it has heard. */
  get text(): string {
    return this.messages.map(({ event }) => (event.case === 'textDelta' ? event.value : '')).join('');
  }

  /** The newest event in short: `completed`, `cancelled`, `failed ABORTED RUN_ABANDONED`. */
  get last(): string {
    const event = this.messages.at(-1)?.event;
    if (event?.case !== 'failed') return event?.case ?? 'nothing';
    return `failed ${reasonOf(event.value.status)}`;
  }

  /** The turn that the newest event tells of. */
  get turn(): Turn | undefined {
    return turnIn(this.messages.at(-1)!);
  }

  /** Waits until these words are among what was said. */
  hears(words: string): Promise<void> {
    return this.#until(() => this.text.includes(words), words);
  }

  /** Waits for the newest event to be this one, as `last` says it. */
  hearsOf(last: string): Promise<void> {
    return this.#until(() => this.last === last, last);
  }

  /** Leaves, without waiting for more. */
  cut(): Promise<string> {
    this.#abort.abort();
    return this.over;
  }

  async #until(heard: () => boolean, what: string): Promise<void> {
    await vi.waitUntil(() => heard() || this.end !== 'open', { timeout: 20_000, interval: 5 });
    if (!heard()) throw new Error(`the stream ended (${this.end}, ${this.last}) before ${what}`);
  }

  async #read(open: OpenStream): Promise<string> {
    try {
      for await (const { event } of open(this.#abort.signal)) this.messages.push(event!);
      this.end = 'OK';
    } catch (error) {
      this.end = this.#abort.signal.aborted ? 'cut' : summary(ConnectError.from(error));
    }
    return this.end;
  }
}

function told(event: ChatEvent): Told {
  const { offset, event: what } = event;
  const turn = turnIn(event);
  return {
    offset,
    kind: what.case === 'textDelta' ? 'text' : (what.case ?? 'nothing'),
    text: what.case === 'textDelta' ? what.value : turn ? saidIn(turn) : '',
    whole: Buffer.from(toBinary(ChatEventSchema, event)).toString('base64'),
  };
}

function turnIn({ event }: ChatEvent): Turn | undefined {
  if (event.case === 'completed') return event.value.turn;
  return event.case === 'failed' || event.case === 'cancelled' ? event.value.partial : undefined;
}
