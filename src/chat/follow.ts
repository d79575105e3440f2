/**
 * Follows the turns of a session: every turn once and in order, from wherever
 * the follower was, for as long as he listens.
 *
 * A follower is a position and nothing else. When he is ready for the next turn
 * he takes it from the tail of the log, which his process shares, or reads it
 * from the log. So one who reads slowly costs a position too, and catches up.
 */
import { sessionDeleted } from '../errors.ts';
import { HEARTBEAT } from '../sessions/bell.ts';
import type { ResetReason, SessionKey } from '../sessions/session.ts';
import { Cursors, fromCursor, type Position, toCursor } from './cursor.ts';
import { FollowedRuns } from './followed_runs.ts';
import type { StoredTurn } from './frames.ts';
import { type Listener, Live } from './live.ts';
import type { RunEvents } from './run_events.ts';
import { type Shared, Tail } from './tail.ts';
import { type Epoch, type LogState, readablePage, STATE_ONLY, sameEpoch, type TurnLog } from './turns.ts';

export type Start = 'BEGINNING' | 'NOW';

/** How followers are told what happens; `services/` knows. Every message says where to go on: the cursor. */
export interface FollowEncoder<E> {
  turn(frame: Uint8Array, cursor: string): E;
  newTurn(turn: StoredTurn, cursor: string): E;
  /** An event of a run, given as a frame. */
  runEvent(frame: Uint8Array, cursor: string): E;
  reset(reason: ResetReason | 'UNKNOWN_EPOCH', cursor: string): E;
  caughtUp(cursor: string): E;
  heartbeat(cursor: string): E;
}

export class Follow<E> {
  readonly #log: TurnLog;
  readonly #runs: RunEvents;
  readonly #encoder: FollowEncoder<E>;
  readonly #tails = new Map<string, Tail<E>>();

  constructor(log: TurnLog, runs: RunEvents, encoder: FollowEncoder<E>) {
    this.#log = log;
    this.#runs = runs;
    this.#encoder = encoder;
  }

  /**
   * The log from a cursor or one of its ends, then live: what there is at a time. What comes in live is mostly sent to
   * the listener past the generator. Ends with an error only. `withRuns`: whether answers are told while they are made.
   */
  async *follow(
    key: SessionKey,
    from: Start | { readonly cursor: string },
    withRuns: boolean,
    listener: Listener<E>,
  ): AsyncGenerator<readonly E[]> {
    const asked = typeof from === 'object' ? fromCursor(key, from.cursor) : undefined;
    const live = new Live(listener);
    const { tail, state, leave } = await this.#join(key, live);
    const runs = withRuns ? new FollowedRuns(this.#runs, key, () => live.wake()) : undefined;
    let runsKnown = tail.runCount - (state.run?.active ? 1 : 0);
    try {
      let epoch = asked?.epoch ?? state.epoch;
      live.seq = asked?.seq ?? (from === 'NOW' ? state.lastTurnSeq : 0);
      let caughtUp = false;
      for (;;) {
        const state = tail.state;
        if (!state) throw sessionDeleted(key.sessionId, 'read');
        const cursor = () => toCursor(key, { epoch, seq: live.seq });
        const lost = lostHow({ epoch, seq: live.seq }, state);
        runs?.add(tail.runsAfter(runsKnown));
        runsKnown = tail.runCount;
        const events = runs && caughtUp ? await (lost ? runs.rest() : runs.next(live.seq)) : [];
        if (events.length > 0) {
          yield events.map((frame) => this.#encoder.runEvent(frame, cursor()));
        } else if (lost) {
          epoch = state.epoch;
          live.seq = 0;
          caughtUp = false;
          runs?.reset(epoch);
          yield [this.#encoder.reset(lost, cursor())];
        } else if (live.seq < state.lastTurnSeq) {
          const last = state.lastTurnSeq;
          const until = runs && caughtUp ? await runs.turnsUntil(live.seq, last) : undefined;
          const all = await this.#next(tail, epoch, live.seq);
          const turns = until === undefined ? all : all.filter(({ seq }) => seq <= until);
          listener.signal.throwIfAborted();
          if (turns.length === 0) continue; // the log is not what it was: see above
          live.seq = turns.at(-1)!.seq;
          yield turns.map(({ event }) => event);
        } else if (!caughtUp) {
          caughtUp = true;
          yield [this.#encoder.caughtUp(cursor())];
        } else {
          const pause = live.toldAt + HEARTBEAT - performance.now();
          if (pause > 0) {
            // In whole seconds, so that mostly it is the same one, and its timer too.
            await live.wait(Math.ceil(pause / 1000) * 1000, !withRuns);
            continue;
          }
          yield [this.#encoder.heartbeat(cursor())];
        }
        live.toldAt = performance.now();
      }
    } finally {
      runs?.close();
      leave();
    }
  }

  /** The turns after a seq, from the tail or from the log; none when the log has changed meanwhile. */
  async #next(tail: Tail<E>, epoch: Epoch, seq: number): Promise<readonly Shared<E>[]> {
    const recent = tail.after(seq);
    if (recent.length > 0) return recent;
    const page = await tail.read(seq);
    // The tail has learnt what the page knows.
    if (!page || !sameEpoch(page.state.epoch, epoch)) return [];
    if (page.turns.length === 0 && page.state.lastTurnSeq > seq) throw new Error('turns are missing');
    return page.turns;
  }

  /** The tail of a session, and how its log ends now. */
  async #join(key: SessionKey, live: Live<E>) {
    for (;;) {
      const { tail, leave } = this.#tailOf(key, live);
      try {
        await tail.look();
        const { state } = tail;
        if (state) return { tail, state, leave };
        readablePage(await this.#log.read(key, STATE_ONLY), key);
      } catch (error) {
        leave();
        throw error;
      }
      leave(); // what was followed here is gone; the session that has its id now has a tail of its own
    }
  }

  #tailOf(key: SessionKey, live: Live<E>) {
    const name = `${key.namespace}/${key.sessionId}`;
    let tail = this.#tails.get(name);
    // One whose session is gone serves those who are on it; the id may be used again.
    if (!tail || tail.isOver) {
      const cursors = new Cursors(key);
      tail = new Tail(this.#log, key, {
        turn: ({ seq, frame }, epoch) => this.#encoder.turn(frame, cursors.at({ epoch, seq })),
        newTurn: (turn, epoch) => this.#encoder.newTurn(turn, cursors.at({ epoch, seq: turn.seq })),
      });
      this.#tails.set(name, tail);
    }
    const joined = tail;
    const part = joined.join((fresh) => live.ring(fresh));
    const leave = () => {
      part();
      if (!joined.isFollowed && this.#tails.get(name) === joined) this.#tails.delete(name);
    };
    return { tail: joined, leave };
  }
}

/** Why a position is no place in this log; undefined when it is one. */
function lostHow({ epoch, seq }: Position, state: LogState): ResetReason | 'UNKNOWN_EPOCH' | undefined {
  if (sameEpoch(epoch, state.epoch)) return seq > state.lastTurnSeq ? 'UNKNOWN_EPOCH' : undefined;
  const older = epoch.created === state.epoch.created && epoch.number < state.epoch.number;
  return older ? (state.resetReason ?? 'UNKNOWN_EPOCH') : 'UNKNOWN_EPOCH';
}
