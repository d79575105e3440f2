/** What ChatService promises of the turns, without gRPC and without Redis. */
import type { SessionKey } from '../sessions/session.ts';
import { type Caller, type RunEnder, whenIdle } from '../sessions/store.ts';
import { toCursor } from './cursor.ts';
import { checkSize } from './turn_sizes.ts';
import {
  type Appended,
  type NewTurn,
  readablePage,
  type TurnLog,
  type TurnPage,
  type TurnRange,
} from './turns.ts';

export class History {
  readonly #log: TurnLog;
  readonly #runs: RunEnder;

  constructor(log: TurnLog, runs: RunEnder) {
    this.#log = log;
    this.#runs = runs;
  }

  /** Appends all turns, or none; `expectedLastSeq` absent: wherever the log ends. */
  async append(
    key: SessionKey,
    turns: readonly NewTurn[],
    expectedLastSeq: number | undefined,
    caller: Caller,
  ): Promise<Pick<Appended, 'firstSeq' | 'createTime'> & { readonly cursor: string }> {
    checkSize(turns);
    caller.throwIfOver();
    const { epoch, firstSeq, createTime } = await this.#log.append(key, turns, expectedLastSeq, caller);
    const cursor = toCursor(key, { epoch, seq: firstSeq + turns.length - 1 });
    return { firstSeq, createTime, cursor };
  }

  /** A part of the log, and the cursor behind its newest turn. */
  async list(key: SessionKey, range: TurnRange): Promise<TurnPage & { readonly cursor: string }> {
    const page = readablePage(await this.#log.read(key, range), key);
    const { epoch, lastTurnSeq } = page.state;
    return { ...page, cursor: toCursor(key, { epoch, seq: lastTurnSeq }) };
  }

  clear(key: SessionKey, caller: Caller): Promise<{ cursor: string }> {
    return this.#remove(key, 0, 'CLEARED', caller);
  }

  /** Removes the turns after `toSeq`. */
  rewind(key: SessionKey, toSeq: number, caller: Caller): Promise<{ cursor: string; removed: number }> {
    return this.#remove(key, toSeq, 'REWOUND', caller);
  }

  async #remove(key: SessionKey, toSeq: number, reason: 'CLEARED' | 'REWOUND', caller: Caller) {
    caller.throwIfOver();
    const { epoch, lastTurnSeq, removed } = await whenIdle(this.#runs, key, 'DROP', () =>
      this.#log.remove(key, toSeq, reason, caller),
    );
    return { cursor: toCursor(key, { epoch, seq: lastTurnSeq }), removed };
  }
}
