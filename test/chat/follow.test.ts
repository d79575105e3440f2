import { expect, it } from 'vitest';
import { Follow } from '../../src/chat/follow.ts';
import { splitFrames } from '../../src/chat/frames.ts';
import type { RunEvents } from '../../src/chat/run_events.ts';
import type { LogState, TurnLog, TurnRange } from '../../src/chat/turns.ts';
import { toFrame } from './frame.ts';

/** A log of two turns, until a page of it is read: then there are two more, of which no news has come yet. */
function growingLog(): TurnLog {
  let last = 2;
  const state = (): LogState => ({
    epoch: { created: 1, number: 0 },
    lastTurnSeq: last,
    lastSeq: last,
    turnCount: last,
    run: undefined,
    resetReason: undefined,
    deleted: false,
    ends: undefined,
  });
  const read = async (_key: unknown, { afterSeq, count }: TurnRange) => {
    if (count > 0) last = 4;
    const size = count > 0 ? last - afterSeq : 0;
    const seqs = Array.from({ length: size }, (_, index) => afterSeq + 1 + index);
    const frames = Buffer.concat(seqs.map((seq) => toFrame(seq, 1, new Uint8Array())));
    return { state: state(), frames, lastSeq: last, more: false };
  };
  const refuse = () => Promise.reject(new Error('not asked for'));
  return { read, listen: async () => () => {}, append: refuse, remove: refuse, copy: refuse };
}

it('takes a page that is newer than all news for what it is, and not for another epoch', async () => {
  const follow = new Follow<string>(growingLog(), {} as RunEvents, {
    turn: (frame) => `turn ${splitFrames(frame)[0]!.seq}`,
    newTurn: ({ seq }) => `new turn ${seq}`,
    runEvent: () => 'an event of a run',
    reset: (why) => `reset ${why}`,
    caughtUp: () => 'caught up',
    heartbeat: () => 'heartbeat',
  });
  const abort = new AbortController();
  const listener = { signal: abort.signal, isBehind: false, send: () => {} };
  const events = follow.follow({ namespace: 'default', sessionId: 's' }, 'BEGINNING', false, listener);
  const got: string[] = [];
  while (got.at(-1) !== 'caught up') got.push(...(await events.next()).value);
  abort.abort();
  expect(got).toEqual(['turn 1', 'turn 2', 'turn 3', 'turn 4', 'caught up']);
});
