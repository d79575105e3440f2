import { describe, expect, it } from 'vitest';
import { FollowedRuns } from '../../src/chat/followed_runs.ts';
import { splitFrames } from '../../src/chat/frames.ts';
import type { RunLog, RunStatus } from '../../src/chat/run.ts';
import { RunEvents } from '../../src/chat/run_events.ts';
import type { NewestRun } from '../../src/chat/turns.ts';
import { sessionNotFound } from '../../src/errors.ts';
import { runEncoder } from '../../src/services/run_encoder.ts';

const KEY = { namespace: 'default', sessionId: 's' };
const EPOCH = { created: 1, number: 0 };

interface Stored {
  events: number;
  status: RunStatus;
  turnSeq: number;
}

/** Runs in a log that says nothing by itself: who follows has to look. */
function followed(stored: Record<string, Stored>) {
  let gone = false;
  const log = {
    listen: async () => () => {},
    read: async (_key: unknown, runId: string, after: number) => {
      if (gone) throw sessionNotFound('s');
      const run = stored[runId];
      if (!run) return undefined;
      const { events, status, turnSeq } = run;
      const offsets = Array.from({ length: events - after }, (_, index) => after + 1 + index);
      const frames = offsets.map((n) => runEncoder.delta(runId, n, { kind: 'text', text: 'x' }));
      return {
        run: { runId, status, turnSeq, lastOffset: events },
        frames: Buffer.concat(frames),
        lastOffset: events,
        more: false,
      };
    },
  };
  const runs = new FollowedRuns(new RunEvents(log as unknown as RunLog), KEY, () => {});
  const offsets = async (next: Promise<readonly Uint8Array[]>) =>
    (await next).flatMap((frame) => splitFrames(frame).map(({ seq }) => seq));
  return {
    runs,
    next: (seq: number) => offsets(runs.next(seq)),
    rest: () => offsets(runs.rest()),
    disappear: () => {
      gone = true;
    },
  };
}

function run(runId: string, askedSeq: number, epochNumber = 0): NewestRun {
  return { runId, askedSeq, epochNumber, active: true };
}

describe('the runs of a session that is followed', () => {
  it('begin when what they were asked is known, and end when what they left is', async () => {
    const { runs, next } = followed({ a: { events: 3, status: 'COMPLETED', turnSeq: 6 } });
    runs.add([run('a', 5)]);
    expect(await next(4)).toEqual([]);
    expect(await next(5)).toEqual([1, 2]);
    expect(await next(5)).toEqual([]);
    expect(await next(6)).toEqual([3]);
    expect(await next(6)).toEqual([]);
  });

  it('come one after the other', async () => {
    const ended = { events: 2, status: 'CANCELLED' as const, turnSeq: 0 };
    const { runs, next } = followed({ a: ended, b: ended });
    runs.add([run('a', 1), run('b', 1)]);
    expect([await next(1), await next(1), await next(1)]).toEqual([[1, 2], [1, 2], []]);
  });

  it('are told of between the turns they were asked and left, though all turns are there', async () => {
    const ended = { events: 2, status: 'COMPLETED' as const };
    const { runs, next } = followed({ a: { ...ended, turnSeq: 2 }, b: { ...ended, turnSeq: 4 } });
    expect(await runs.turnsUntil(0, 9)).toBe(9);
    runs.add([run('a', 1), run('b', 3)]);
    expect(await runs.turnsUntil(0, 9)).toBe(1);
    expect(await next(1)).toEqual([1]);
    expect(await runs.turnsUntil(1, 9)).toBe(2);
    expect(await next(2)).toEqual([2]);
    expect(await runs.turnsUntil(2, 9)).toBe(3);
    expect(await next(3)).toEqual([1]);
    expect(await runs.turnsUntil(3, 9)).toBe(4);
  });

  it('have ended when another began, though nobody said so', async () => {
    const stored = { events: 1, status: 'RUNNING' as RunStatus, turnSeq: 0 };
    const { runs, next } = followed({ a: stored });
    runs.add([run('a', 1)]);
    expect(await next(1)).toEqual([1]);
    expect(await runs.turnsUntil(1, 1)).toBe(1);
    Object.assign(stored, { events: 2, status: 'COMPLETED', turnSeq: 2 });
    runs.add([run('b', 3)]);
    expect(await runs.turnsUntil(1, 9)).toBe(2);
  });

  it('are told of to the last before what they left, though that was heard of first', async () => {
    const stored = { events: 2, status: 'RUNNING' as RunStatus, turnSeq: 0 };
    const { runs, next } = followed({ a: stored });
    runs.add([run('a', 1)]);
    expect(await next(1)).toEqual([1, 2]);
    Object.assign(stored, { events: 4, status: 'COMPLETED', turnSeq: 2 });
    expect(await next(1)).toEqual([]); // nobody said so
    expect(await runs.turnsUntil(1, 2)).toBe(1);
    expect(await next(1)).toEqual([3]);
    expect(await runs.turnsUntil(1, 2)).toBe(2);
    expect(await next(2)).toEqual([4]);
  });

  it('let pass what others say while they answer, and no turn that was not there when that was looked up', async () => {
    const { runs, next } = followed({ a: { events: 1, status: 'RUNNING', turnSeq: 0 } });
    runs.add([run('a', 1)]);
    expect(await next(1)).toEqual([1]);
    expect(await runs.turnsUntil(1, 3)).toBe(3);
  });

  it('are left out when they are no longer kept', async () => {
    const { runs, next } = followed({ b: { events: 2, status: 'CANCELLED', turnSeq: 0 } });
    runs.add([run('a', 1), run('b', 1)]);
    expect(await next(1)).toEqual([]);
    expect(await next(1)).toEqual([1, 2]);
  });

  it('say nothing when their session is gone: the log says that', async () => {
    const { runs, next, disappear } = followed({ a: { events: 2, status: 'RUNNING', turnSeq: 0 } });
    runs.add([run('a', 1)]);
    expect(await next(1)).toEqual([1, 2]);
    disappear();
    expect(await next(1)).toEqual([]);
  });

  it('end before the log begins anew, though nobody said yet that they did', async () => {
    const stored = { events: 2, status: 'RUNNING' as RunStatus, turnSeq: 0 };
    const { runs, next, rest } = followed({ a: stored });
    runs.add([run('a', 1)]);
    expect(await next(1)).toEqual([1, 2]);
    Object.assign(stored, { events: 3, status: 'CANCELLED' });
    expect(await rest()).toEqual([3]);
    expect(await rest()).toEqual([]);
    runs.reset({ ...EPOCH, number: 1 });
    expect(await next(9)).toEqual([]);
  });

  it('are not told of when the log begins anew before they were, but for those of the new one', async () => {
    const ended = { events: 2, status: 'CANCELLED' as const, turnSeq: 0 };
    const { runs, next, rest } = followed({ a: ended, b: { ...ended, events: 4 } });
    runs.add([run('a', 1), run('b', 0, 1)]);
    expect(await rest()).toEqual([]);
    runs.reset({ ...EPOCH, number: 1 });
    expect(await next(0)).toEqual([1, 2, 3, 4]);
    expect(await next(9)).toEqual([]);
  });
});
