/** Writes to a session and follows it through several servers, and records all of it for the checker. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import { expect, onTestFinished } from 'vitest';
import { Direction } from '../../gen/parley/v1/chat_service_pb.ts';
import { type Clients, connect, newId } from '../harness.ts';
import { complaints, type History, type Said, type Write } from './history.ts';
import { newStream, type RecordedStream, read, said } from './recorded_stream.ts';

/** How long followers may take to get what is there, before the checker says what is missing. */
const PATIENCE = 20_000;

const PADDINGS = [0, 0, 0, 0, 0, 0, 1000, 30_000].map((length) => 'x'.repeat(length));

export class Recorder {
  readonly sessionId = newId();
  readonly writes: Write[] = [];
  readonly followers: { name: string; streams: RecordedStream[] }[] = [];
  /** How often a writer was told UNAVAILABLE. */
  refused = 0;
  readonly #addresses: readonly string[];
  readonly #servers: readonly Clients[];
  readonly #following: Promise<void>[] = [];
  #moment = 0;
  #messages = 0;
  #life: number | undefined;

  private constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
    this.#servers = addresses.map(connect);
    onTestFinished(() => {
      for (const server of this.#servers) server.close();
    });
  }

  /** A new session, behind all of these servers. */
  static async begin(addresses: readonly string[]): Promise<Recorder> {
    const recorder = new Recorder(addresses);
    const { sessionId } = recorder;
    await recorder.#insist(({ sessions }) => sessions.createSession({ sessionId, requestId: newId() }));
    return recorder;
  }

  /** From now on, new streams are cut within so many milliseconds; undefined: not at all. */
  cutWithin(life: number | undefined): void {
    this.#life = life;
  }

  /** Appends as many new messages at once; some take more than others. */
  async append(count: number): Promise<void> {
    const texts = Array.from({ length: count }, () => `message ${++this.#messages}`);
    const messages = texts.map((content) => ({ content, metadata: { padding: anyOf(PADDINGS) } }));
    const request = { sessionId: this.sessionId, messages, requestId: newId() };
    const sent = ++this.#moment;
    const { turns } = await this.#insist(({ chat }) => chat.appendTurns(request));
    const acknowledged = ++this.#moment;
    this.writes.push({ kind: 'append', texts, turns: turns.map(said), sent, acknowledged });
  }

  /** Removes all turns. This and the next two are for one remover, who waits for their end and has appended. */
  async clear(): Promise<void> {
    const request = { sessionId: this.sessionId, requestId: newId() };
    await this.#remove('CLEARED', 0, ({ chat }) => chat.clearHistory(request));
  }

  /** Takes the session back to a clean state. */
  async truncate(): Promise<void> {
    const request = { sessionId: this.sessionId, requestId: newId() };
    await this.#remove('TRUNCATED', 0, ({ sessions }) => sessions.truncateSession(request));
  }

  /** Removes one of the newest turns and all after it. */
  async rewind(): Promise<void> {
    const { turns } = await this.#insist(({ chat }) => chat.listTurns({ sessionId: this.sessionId }));
    const toSeq = anyOf([0, ...turns.slice(0, -1).map(({ seq }) => seq)]);
    const request = { sessionId: this.sessionId, toSeq, requestId: newId() };
    await this.#remove('REWOUND', toSeq, ({ chat }) => chat.rewindHistory(request));
  }

  /** Changes nothing, and so is not recorded. */
  async rewindNothing(): Promise<void> {
    const request = { sessionId: this.sessionId, toSeq: 0xffffffff, requestId: newId() };
    const { removed } = await this.#insist(({ chat }) => chat.rewindHistory(request));
    expect(removed).toBe(0);
  }

  /** Follows from the beginning until the session is deleted, from one server after the other. */
  follow(name: string): void {
    this.#following.push(this.#follow(name, []));
  }

  /** The same for one who lists the log first, and follows from there. */
  async listAndFollow(name: string): Promise<void> {
    const listing = newStream(++this.#moment);
    const request = { sessionId: this.sessionId, pageSize: 1000 };
    const { turns, cursor, nextPageToken } = await this.#insist(({ chat }) => chat.listTurns(request));
    expect(nextPageToken).toBe('');
    for (const turn of turns) listing.events.push({ kind: 'turn', cursor, turn: said(turn) });
    listing.events.push({ kind: 'caughtUp', cursor });
    listing.end = 'cut';
    this.#following.push(this.#follow(name, [listing]));
  }

  /** Ends the story when every follower has the newest turn, or fails to get it. */
  async finish(): Promise<History> {
    this.#life = undefined;
    const log = await this.#log();
    const newest = log.at(-1)!.seq;
    const deadline = performance.now() + PATIENCE;
    const behind = () => this.followers.some(({ streams }) => lastSeq(streams) !== newest);
    while (behind() && performance.now() < deadline) await sleep(10);
    const request = { sessionId: this.sessionId, requestId: newId() };
    await this.#insist(({ sessions }) => sessions.deleteSession(request));
    await Promise.race([Promise.all(this.#following), sleep(PATIENCE, undefined, { ref: false })]);
    return { writes: this.writes, followers: this.followers, log };
  }

  async #remove(
    reason: string,
    toSeq: number,
    call: (server: Clients) => Promise<object & { removed?: number }>,
  ): Promise<void> {
    const sent = ++this.#moment;
    const answer = await this.#insist(call);
    const acknowledged = ++this.#moment;
    await this.append(1);
    const after = { afterSeq: toSeq, direction: Direction.FORWARD, pageSize: 1 };
    const { turns } = await this.#insist(({ chat }) =>
      chat.listTurns({ sessionId: this.sessionId, ...after }),
    );
    const counted = 'removed' in answer ? { removed: answer.removed } : {};
    this.writes.push({ kind: 'removal', reason, toSeq, ...counted, next: turns[0]!.seq, sent, acknowledged });
  }

  async #follow(name: string, streams: RecordedStream[]): Promise<void> {
    this.followers.push({ name, streams });
    let cursor = streams.at(-1)?.events.at(-1)?.cursor;
    for (let turn = 0; ; turn++) {
      const stream = newStream(++this.#moment, cursor);
      streams.push(stream);
      const address = this.#addresses[turn % this.#addresses.length]!;
      await read(address, this.sessionId, stream, this.#life && Math.random() * this.#life);
      cursor = stream.events.at(-1)?.cursor ?? cursor;
      if (stream.end === 'cut') await sleep(Math.random() * (this.#life ?? 0));
      else if (stream.end.startsWith('UNAVAILABLE ')) await sleep(20);
      else return;
    }
  }

  /** Sends the same request again, to whichever server, for as long as they are not available. */
  async #insist<T>(call: (server: Clients) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call(anyOf(this.#servers));
      } catch (error) {
        if (!isUnavailable(ConnectError.from(error))) throw error;
        this.refused++;
        await sleep(20);
      }
    }
  }

  async #log(): Promise<Said[]> {
    const log: Said[] = [];
    const request = { sessionId: this.sessionId, direction: Direction.FORWARD, pageSize: 20 };
    let pageToken = '';
    do {
      const page = await this.#insist(({ chat }) => chat.listTurns({ ...request, pageToken }));
      log.push(...page.turns.map(said));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return log;
  }
}

/** The proof; a record that fails it is kept. */
export function expectSound(history: History): void {
  const found = complaints(history);
  const file = join(tmpdir(), `parley-history-${process.pid}.json`);
  if (found.length > 0) writeFileSync(file, JSON.stringify(history, undefined, 1));
  expect(found, `recorded in ${file}`).toEqual([]);
}

/** connect-node has other names for what HTTP/2 says of a server that is stopping. */
function isUnavailable({ code, rawMessage }: ConnectError): boolean {
  return code === Code.Unavailable || /REFUSED_STREAM|ECONNRESET/.test(rawMessage);
}

function lastSeq(streams: readonly RecordedStream[]): number | undefined {
  const turns = streams.flatMap(({ events }) => events.filter(({ kind }) => kind === 'turn'));
  const last = turns.at(-1);
  return last?.kind === 'turn' ? last.turn.seq : undefined;
}

function anyOf<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)]!;
}
