/** ForkSession: a session and its turns, up to a seq, as a new session. */
import { STATE_ONLY, type TurnLog } from '../chat/turns.ts';
import { alreadyExists, fieldInvalid, sessionDeleted, sessionNotFound } from '../errors.ts';
import { type Author, newEtag } from './changes.ts';
import { now } from './clock.ts';
import { type Activity, type ConfigsRevision, isDeleted, type Session, type SessionKey } from './session.ts';
import type { Caller, Mutated, SessionStore, TurnsCopy } from './store.ts';

/** What one fork works with. */
interface Fork {
  readonly store: SessionStore;
  readonly log: TurnLog;
  readonly source: SessionKey;
  readonly target: SessionKey;
  /** Absent: all turns. */
  readonly throughSeq: number | undefined;
}

/**
 * Copies first and decides then: the copy of the turns is nobody's until the
 * session that gets them is made, with them, in one atomic step.
 *
 * That step remembers the answer, where the new session is. A request id counts
 * for the source, which may be on another shard: it is told afterwards.
 */
export async function forkSession(fork: Fork, author: Author, caller: Caller): Promise<Mutated<Session>> {
  const { store, source } = fork;
  await store.recall(source, caller);
  const made = await copyOnce(fork, author, forkOf(source, caller));
  if (caller.operation) await store.mutate(source, caller, () => ({ answer: null }));
  return made;
}

/** The caller as the new session knows him: it may be forked itself under the same request id. */
function forkOf({ sessionId }: SessionKey, caller: Caller): Caller {
  const { operation, principal } = caller;
  return {
    operation: operation && { ...operation, method: `${operation.method} of ${sessionId}` },
    principal,
    throwIfOver: () => caller.throwIfOver(),
    get signal() {
      return caller.signal;
    },
  };
}

async function copyOnce(fork: Fork, author: Author, caller: Caller): Promise<Mutated<Session>> {
  const { store, target } = fork;
  // Taken, or made by this very call when it was sent before: nothing to copy.
  const taken = (await store.read(target)) !== undefined;
  const made = taken ? undefined : await copied(fork, caller);
  return store.mutate(
    target,
    caller,
    (current) => {
      if (current || !made) throw alreadyExists(target.sessionId);
      const session = forked(made.source, target, made.turns.copy, author);
      return { write: session, answer: session, turns: made.turns };
    },
    taken ? undefined : 'absent',
  );
}

async function copied({ store, log, source, target, throughSeq }: Fork, caller: Caller) {
  for (;;) {
    caller.throwIfOver();
    const [found, page] = await Promise.all([store.readActive(source), log.read(source, STATE_ONLY)]);
    if (!found || !page) throw sessionNotFound(source.sessionId);
    const { session, activity } = found;
    if (isDeleted(session)) throw sessionDeleted(source.sessionId, 'write');
    const { state } = page;
    if (throughSeq !== undefined && throughSeq > state.lastTurnSeq) {
      throw fieldInvalid('through_seq', `beyond the last turn, ${state.lastTurnSeq}`);
    }
    const through = throughSeq ?? state.lastTurnSeq;
    const copy = await log.copy(source, target, state.epoch, through, caller);
    // Undefined when turns were removed meanwhile: what is left is another session.
    const lastSeq = through < state.lastTurnSeq ? through : state.lastSeq;
    if (copy) return { source: session, turns: { copy, lastSeq, ...summaryWithin(activity, through) } };
  }
}

/** The summary, if it covers no more than what is copied. */
function summaryWithin({ summary, summarizedSeq }: Activity, throughSeq: number) {
  return summarizedSeq <= throughSeq ? { summary, summarizedSeq } : { summary: '', summarizedSeq: 0 };
}

function forked(source: Session, target: SessionKey, copy: TurnsCopy, author: Author): Session {
  const at = now();
  const { configs, participants, ...same } = source;
  const { lastTurnSeq } = copy;
  return {
    ...same,
    ...target,
    participants: participants.map((row) => ({
      ...row,
      joinedSeq: Math.min(row.joinedSeq, lastTurnSeq),
      ...(row.leftSeq !== undefined && { leftSeq: Math.min(row.leftSeq, lastTurnSeq) }),
    })),
    configs: forkedConfigs(configs, author, at),
    forkedFrom: { sessionId: source.sessionId, throughSeq: lastTurnSeq },
    createTime: at,
    updateTime: at,
    etag: newEtag(),
  };
}

function forkedConfigs({ configs }: ConfigsRevision, author: Author, createTime: number): ConfigsRevision {
  return configs
    ? { revision: 1, configs, operation: 'FORK', ...author, createTime }
    : { revision: 0, principal: '', requestId: '', createTime };
}
