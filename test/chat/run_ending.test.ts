import { describe, expect, it } from 'vitest';
import type { Hold, RunEnd, RunLog, RunPage } from '../../src/chat/run.ts';
import { RunEnding } from '../../src/chat/run_ending.ts';
import { runEncoder } from '../../src/services/run_encoder.ts';

const KEY = { namespace: 'default', sessionId: 's' };

/** A log with one run, which said `Hel` and `lo`. */
function logOfOneRun() {
  const frames = [
    runEncoder.delta('r', 2, { kind: 'text', text: 'Hel' }),
    runEncoder.delta('r', 3, { kind: 'text', text: 'lo' }),
  ];
  const state = { ends: [] as RunEnd[], hasEvents: true };
  const run = {
    runId: 'r',
    status: 'RUNNING',
    participantId: '',
    model: 'm',
    createTime: 1,
    endTime: undefined,
  } as const;
  const log = {
    lease: 1000,
    take: async (): Promise<Hold | undefined> =>
      state.ends.length > 0 ? undefined : { runId: 'r', fence: 1 },
    read: async (_key: unknown, _run: unknown, after: number): Promise<RunPage | undefined> => {
      if (!state.hasEvents) return undefined;
      const at = after === 0 ? 0 : 1;
      const more = at === 0;
      const all = { ...run, lastOffset: 3, turnSeq: 0, error: new Uint8Array() };
      return { run: all, frames: frames[at]!, lastOffset: at + 2, more };
    },
    finish: async (_key: unknown, _hold: Hold, end: RunEnd) => {
      state.ends.push(end);
      return 'finished' as const;
    },
  };
  const ending = new RunEnding(log as unknown as RunLog, runEncoder, async (said) => said.map(() => 1));
  return { state, ending };
}

describe('ending a run', () => {
  it('leaves all that was said, over all pages', async () => {
    const { state, ending } = logOfOneRun();
    await ending.end(KEY, 'r', 'KEEP');
    expect(state.ends).toMatchObject([{ status: 'CANCELLED', offset: 4 }]);
    expect(Buffer.from(state.ends[0]!.turn!.body).toString()).toContain('Hello');
  });

  it('leaves nothing when it is not to be kept', async () => {
    const { state, ending } = logOfOneRun();
    await ending.end(KEY, 'r', 'DROP');
    expect(state.ends).toMatchObject([{ status: 'CANCELLED', turn: undefined }]);
  });

  it('is done when it is over already', async () => {
    const { state, ending } = logOfOneRun();
    await ending.end(KEY, 'r', 'KEEP');
    await ending.end(KEY, 'r', 'KEEP');
    expect(state.ends).toHaveLength(1);
  });

  it('works though its events are gone, so that the session is free', async () => {
    const { state, ending } = logOfOneRun();
    state.hasEvents = false;
    await ending.end(KEY, 'r', 'KEEP');
    expect(state.ends).toMatchObject([{ status: 'CANCELLED', offset: 1, turn: undefined }]);
  });
});
