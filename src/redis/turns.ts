/** Turns as a Stream per session: implements the domain's log. */
import { LRUCache } from 'lru-cache';

import { bodiesOf, type FrameWriter } from '../chat/frames.ts';
import {
  type Appended,
  type Epoch,
  type LogState,
  type News,
  type NewTurn,
  type Removed,
  sameEpoch,
  type TurnLog,
  type TurnPage,
  type TurnRange,
} from '../chat/turns.ts';
import { ParleyError } from '../errors.ts';
import { now } from '../sessions/clock.ts';
import { randomText } from '../sessions/random.ts';
import type { Milliseconds, ResetReason, SessionKey } from '../sessions/session.ts';
import type { Caller, Doorbell, TurnsCopy } from '../sessions/store.ts';
import { written } from '../structs/wire_writer.ts';
import { answerSlot } from './answers.ts';
import { fromText } from './byte_text.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { refusal } from './refusals.ts';
import { appendTurns, readTurns, removeTurns, type Script, stageTurns } from './scripts.ts';
import { countedIn, type Entry, entriesOf, entryThrough, NOBODY, turnsIn } from './turn_entries.ts';

/** Whether read_turns gives turns to pass on, or entries to store again. */
const READ = '';
const READ_ENTRIES = '1';

/** Turns copied at a time. */
const COPY = { direction: 'FORWARD' as const, count: 500, bytes: 1024 * 1024 };
/** How long a copy waits for its session. */
const COPY_LIFETIME: Milliseconds = 10 * 60 * 1000;

/** What is kept of pages. */
const KNOWN_BYTES = 4 * 1024 * 1024;

export class RedisTurns implements TurnLog {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #doorbell: Doorbell;
  readonly #writeFrame: FrameWriter;
  /**
   * Pages by what they were asked for, and the state the log had: as long as it has the same epoch and the same last
   * turn it has the same turns, and Redis need only say so.
   */
  readonly #pages = new LRUCache<string, { readonly state: string; readonly page: TurnPage }>({
    maxSize: KNOWN_BYTES,
    maxEntrySize: KNOWN_BYTES / 32,
  });

  /** `writeFrame`: see chat/frames.ts. */
  constructor(redis: Connection, keys: Keys, doorbell: Doorbell, writeFrame: FrameWriter) {
    this.#redis = redis;
    this.#keys = keys;
    this.#doorbell = doorbell;
    this.#writeFrame = writeFrame;
    redis.on('down', () => this.#pages.clear()); // one that lost its latest turns may come back with others
  }

  async append(
    key: SessionKey,
    turns: readonly NewTurn[],
    expectedLastSeq: number | undefined,
    caller: Caller,
  ): Promise<Appended> {
    const args = [expectedLastSeq ?? '', turns.length, ...entriesOf(turns)];
    const [first, time, number, created] = await this.#change(appendTurns, key, caller, args);
    return { epoch: epochOf(created, number), firstSeq: Number(first), createTime: Number(time) };
  }

  async remove(key: SessionKey, toSeq: number, reason: ResetReason, caller: Caller): Promise<Removed> {
    const [last, removed, number, created] = await this.#change(removeTurns, key, caller, [toSeq, reason]);
    return { epoch: epochOf(created, number), lastTurnSeq: Number(last), removed: Number(removed) };
  }

  async read(key: SessionKey, range: TurnRange): Promise<TurnPage | undefined> {
    const bounds = boundsOf(range);
    const name = `${this.#keys.log(key)} ${bounds}`;
    const known = range.count > 0 ? this.#pages.get(name) : undefined;
    const [text, ...read] = await this.#read<string>(key, bounds, READ, known?.state);
    if (text === undefined) return undefined;
    if (text === '') return known!.page;
    const state = parseState(text);
    const page = read.length === 0 ? { ...known!.page, state } : this.#pageOf(state, range, read);
    if (range.count > 0) this.#remember(name, text, page);
    return page;
  }

  async copy(
    source: SessionKey,
    target: SessionKey,
    epoch: Epoch,
    throughSeq: number,
    caller: Caller,
  ): Promise<TurnsCopy | undefined> {
    const name = this.#keys.copy(target, randomText(9));
    const turnsBy: Record<string, number> = Object.create(null); // somebody may be called `constructor`
    let turnCount = 0;
    for (let lastTurnSeq = 0; ; ) {
      caller.throwIfOver();
      const range = { ...COPY, afterSeq: lastTurnSeq, beforeSeq: throughSeq + 1 };
      const [state, ids = '', read = [], , , more] = await this.#read<Entry[]>(
        source,
        boundsOf(range),
        READ_ENTRIES,
      );
      if (state === undefined || !sameEpoch(parseState(state).epoch, epoch)) return undefined;
      const places = ids.split(' ');
      const entries = read.map((entry, index) => entryThrough(throughSeq, places[index]!, entry));
      if (entries.length > 0) {
        await this.#redis.run(stageTurns, [name], [COPY_LIFETIME, ...entries.flat()]);
        lastTurnSeq = Number.parseInt(entries.at(-1)![0], 10);
      }
      for (const who of entries.flatMap(([, ...entry]) => countedIn(entry))) {
        turnCount++;
        if (who !== NOBODY) turnsBy[who] = (turnsBy[who] ?? 0) + 1;
      }
      if (more === '1') continue;
      return { name: turnCount > 0 ? name : '', lastTurnSeq, turnCount, turnsBy };
    }
  }

  listen(key: SessionKey, heard: (news: News | undefined) => void): Promise<() => void> {
    return this.#doorbell.listen(key, (news) => heard(news === '' ? undefined : parseNews(news)));
  }

  /** What read_turns.lua returns. `known`: the state the log had when these turns were read; without it there are turns. */
  async #read<T>(
    key: SessionKey,
    bounds: string,
    how: typeof READ | typeof READ_ENTRIES,
    known = '',
  ): Promise<[] | [string] | [string, ...Read<T>]> {
    const keys = [this.#keys.log(key), this.#keys.turns(key)];
    return (await this.#redis.run(readTurns, keys, [bounds, how, known])) as [string];
  }

  #remember(name: string, state: string, page: TurnPage): void {
    const size = page.frames.length + name.length + state.length + 512;
    this.#pages.set(name, { state, page }, { size });
  }

  #pageOf(state: LogState, range: TurnRange, [ids, read, after, before, more]: Read<string>): TurnPage {
    const { direction, count } = range;
    const [afterSeq, beforeSeq] = [Number(after), Number(before)];
    const inside = turnsIn(ids, read).filter(({ seq }) => seq > afterSeq && seq < beforeSeq);
    const turns = direction === 'FORWARD' ? inside.slice(0, count) : inside.slice(-count);
    const frames = written((writer) => {
      for (const turn of turns) this.#writeFrame(writer, turn);
    });
    const last = direction === 'FORWARD' ? turns.at(-1) : turns[0];
    return { state, frames, lastSeq: last?.seq ?? 0, more: more === '1' || turns.length < inside.length };
  }

  /** Runs a script that changes the log; the words of its answer. */
  async #change(
    script: Script,
    key: SessionKey,
    { operation }: Caller,
    args: (string | number)[],
  ): Promise<[string, string, string, string]> {
    const slot = answerSlot(operation);
    const common = [...slot, this.#keys.live(key), now()];
    const keys = this.#keys.ofSession(key);
    const [code, value] = (await this.#redis.run(script, keys, [...common, ...args])) as [number, string?];
    switch (code) {
      case 1:
      case 2:
        return value!.split(' ') as [string, string, string, string];
      case -5:
        throw new ParleyError('LAST_SEQ_MISMATCH', `the last turn is ${value}`);
      case -6:
        throw new ParleyError('QUOTA_EXCEEDED', 'the session has no seq left');
      default:
        throw refusal(code, key, operation, value);
    }
  }
}

/** As read_turns.lua takes them. */
function boundsOf(range: TurnRange): string {
  const { afterSeq, beforeSeq = '-', since = '-', beforeTime = '-', direction, count, bytes } = range;
  return `${afterSeq} ${beforeSeq} ${since} ${beforeTime} ${direction} ${count} ${bytes}`;
}

/**
 * What log.lua tells followers: words of the epoch, the last seq before the turns and the first of theirs, which is
 * further where some were removed, when they came, and the run that began; a line, then the turns.
 */
function parseNews(text: string): News {
  const line = text.indexOf('\n');
  const [created, number, after, first, at, runId] = text.slice(0, line).split(' ') as Six<string>;
  const [createTime, firstSeq] = [Number(at), Number(first)];
  const bodies = bodiesOf(fromText(text.slice(line + 1)));
  const turns = bodies.map((body, index) => ({ seq: firstSeq + index, createTime, body }));
  return { epoch: epochOf(created, number), after: Number(after), turns, runId };
}

/** As the scripts write it. */
function epochOf(created: string, number: string): Epoch {
  return { created: Number(created), number: Number(number) };
}

function parseState(text: string): LogState {
  const [created, number, last, reason, deleted, ends, numbered, count, run, asked, active, askedIn] =
    text.split(' ') as Twelve<string>;
  return {
    epoch: epochOf(created, number),
    lastTurnSeq: Number(last),
    lastSeq: Number(numbered),
    turnCount: Number(count),
    run:
      run === '-'
        ? undefined
        : { runId: run, askedSeq: Number(asked), epochNumber: Number(askedIn), active: active === '1' },
    resetReason: reason === '-' ? undefined : (reason as ResetReason),
    deleted: deleted === '1',
    ends: Number(ends) < 0 ? undefined : Number(ends),
  };
}

/** What read_turns.lua returns of turns: ids, turns, after, before, whether there are more. */
type Read<T> = [string, T, string, string, string];
type Six<T> = [T, T, T, T, T, T];
type Twelve<T> = [T, T, T, T, T, T, T, T, T, T, T, T];
