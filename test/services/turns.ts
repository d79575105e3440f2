/** Turns as tests speak of them: sessions that hold some, pages of them, and followers who take what comes one by one. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { expect } from 'vitest';
import {
  type AppendTurnsResponse,
  Direction,
  type FollowTurnsRequestSchema,
  type FollowTurnsResponse,
  type ListTurnsRequestSchema,
  ResetReasonSchema,
} from '../../gen/parley/v1/chat_service_pb.ts';
import type { MessageSchema, PartSchema, Turn } from '../../gen/parley/v1/content_pb.ts';
import type { CreateSessionRequestSchema, Session } from '../../gen/parley/v1/session_service_pb.ts';
import { type Clients, newId } from '../harness.ts';
import { failure, summary } from '../refusal.ts';

export type MessageInit = Exclude<MessageInitShape<typeof MessageSchema>, { $typeName: string }>;
export type PartInit = Exclude<MessageInitShape<typeof PartSchema>, { $typeName: string }>;
export type ListAsk = Exclude<MessageInitShape<typeof ListTurnsRequestSchema>, { $typeName: string }>;
export type FollowAsk = Exclude<MessageInitShape<typeof FollowTurnsRequestSchema>, { $typeName: string }>;
type SessionInit = NonNullable<MessageInitShape<typeof CreateSessionRequestSchema>['session']>;

/** A new session with turns that say their seq. */
export async function sessionWith(
  parley: Clients,
  turns: number,
  session: SessionInit = {},
): Promise<string> {
  const sessionId = newId();
  await parley.sessions.createSession({ sessionId, session });
  if (turns > 0) await say(parley, sessionId, ...numbers(1, turns));
  return sessionId;
}

/** Appends turns of a line of text each. */
export function say(parley: Clients, sessionId: string, ...lines: unknown[]): Promise<AppendTurnsResponse> {
  return parley.chat.appendTurns({ sessionId, messages: lines.map((line) => ({ content: String(line) })) });
}

/** All turns of a session, by as many pages as it takes. */
export async function turnsOf(parley: Clients, sessionId: string): Promise<Turn[]> {
  return walk(parley, { sessionId, pageSize: 1000 });
}

export async function seqsOf(parley: Clients, sessionId: string): Promise<number[]> {
  return seqs(await turnsOf(parley, sessionId));
}

/** Walks all pages, of these sizes in turn; `between` runs before each but the first. The turns from oldest to newest. */
export async function walk(
  parley: Clients,
  ask: ListAsk,
  pageSizes: readonly number[] = [ask.pageSize ?? 0],
  between: (page: number) => Promise<unknown> = async () => {},
): Promise<Turn[]> {
  const all: Turn[] = [];
  for (let pageToken = '', page = 0; ; page++) {
    const pageSize = pageSizes[page % pageSizes.length]!;
    const { turns, nextPageToken } = await parley.chat.listTurns({ ...ask, pageSize, pageToken });
    expect(turns.length).toBeLessThanOrEqual(pageSize || 50);
    if (ask.direction === Direction.FORWARD) all.push(...turns);
    else all.unshift(...turns);
    if (nextPageToken === '') return all;
    expect(turns.length).toBeGreaterThan(0);
    pageToken = nextPageToken;
    await between(page);
  }
}

export function seqs(turns: readonly Turn[]): number[] {
  return turns.map(({ seq }) => seq);
}

/** What a turn says in its first part. */
export function textOf({ parts }: Turn): unknown {
  return parts[0]!.content.value;
}

/** `from`, `from` + 1 … `to`. */
export function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(to - from + 1, 0) }, (_, index) => from + index);
}

export async function getSession(parley: Clients, sessionId: string): Promise<Session> {
  return (await parley.sessions.getSession({ sessionId })).session!;
}

/** A stream of turns, taken message by message. */
export class Follower {
  readonly #abort = new AbortController();
  readonly #messages: AsyncIterator<FollowTurnsResponse>;
  /** Of the last message that was taken. */
  cursor = '';

  constructor({ chat }: Clients, ask: FollowAsk) {
    this.#messages = chat.followTurns(ask, { signal: this.#abort.signal })[Symbol.asyncIterator]();
  }

  async next(): Promise<FollowTurnsResponse> {
    const { done, value } = await this.#messages.next();
    if (done) throw new Error('the stream ended');
    this.cursor = value.cursor;
    return value;
  }

  /** The next messages in short: `turn 1`, `reset CLEARED`, `caught up`. */
  async take(count: number): Promise<string[]> {
    const taken: string[] = [];
    while (taken.length < count) taken.push(inShort(await this.next()));
    return taken;
  }

  /** The same until it is caught up, that included. */
  async catchUp(): Promise<string[]> {
    const taken: string[] = [];
    while (taken.at(-1) !== 'caught up') taken.push(inShort(await this.next()));
    return taken;
  }

  /** What the stream ends with, after no further message. */
  async end(): Promise<string> {
    return summary(await failure(this.#messages.next().then(({ value }) => inShort(value))));
  }

  cancel(): void {
    this.#abort.abort();
  }
}

/** What a follower gets who begins here, until it is caught up. */
export async function followed(parley: Clients, ask: FollowAsk): Promise<string[]> {
  const follower = new Follower(parley, ask);
  try {
    return await follower.catchUp();
  } finally {
    follower.cancel();
  }
}

/** `turn 3`, `turn 4` …, as a follower gets them. */
export function turnsFrom(from: number, to: number): string[] {
  return numbers(from, to).map((seq) => `turn ${seq}`);
}

export function inShort({ event }: FollowTurnsResponse): string {
  switch (event.case) {
    case 'turn':
      return `turn ${event.value.seq}`;
    case 'reset':
      return `reset ${ResetReasonSchema.value[event.value.reason]?.localName}`;
    case 'caughtUp':
      return 'caught up';
    default:
      return event.case ?? 'nothing';
  }
}
