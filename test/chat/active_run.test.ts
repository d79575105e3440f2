import { expect, it } from 'vitest';
import { ActiveRun } from '../../src/chat/active_run.ts';
import type { AnswerPiece } from '../../src/models/model.ts';
import { runEncoder } from '../../src/services/run_encoder.ts';
import { Slices } from '../../src/slices.ts';

it('a run ends behind what was written late', async () => {
  const ends: number[] = [];
  const log = {
    lease: 10_000,
    listen: async () => () => {},
    write: async () => true,
    finish: async (_key: unknown, _hold: unknown, end: { offset: number }) => {
      ends.push(end.offset);
      return ends.length === 1 ? { lastOffset: 7 } : 'finished';
    },
  };
  const tools = {
    log,
    encoder: runEncoder,
    count: async (said: readonly unknown[]) => said.map(() => 1),
    tell: () => {},
    pause: () => 0,
    slices: new Slices(10),
    defect: (error: unknown) => expect.fail(String(error)),
  };
  const key = { namespace: 'default', sessionId: 's' };
  const run = new ActiveRun(tools as never, key, { runId: 'r', fence: 1 }, { model: 'm', participantId: '' });
  await run.answer(async function* (): AsyncGenerator<AnswerPiece> {
    yield { kind: 'text', text: 'Hello.' };
    yield { kind: 'end', finishReason: 'STOP', usage: undefined };
  });
  expect(ends).toEqual([3, 8]);
});
