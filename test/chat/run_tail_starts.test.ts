import { expect, it } from 'vitest';
import type { RunLog, RunNews } from '../../src/chat/run.ts';
import { RunTail } from '../../src/chat/run_tail.ts';
import { toFrame } from './frame.ts';

const KEY = { namespace: 'default', sessionId: 's' };

it('a run that starts while somebody looks too soon is followed from its first event', async () => {
  let tell = (_: RunNews | undefined) => {};
  const found = Promise.withResolvers<undefined>();
  const log = {
    listen: async (_, heard) => {
      tell = heard;
      return () => {};
    },
    read: () => found.promise,
  } satisfies Pick<RunLog, 'listen' | 'read'>;
  const tail = new RunTail(log as unknown as RunLog, KEY, 'run');
  await tail.listen();
  tell(undefined); // the subscription is there: it looks, and there is nothing yet
  const started = toFrame(1, 0, new Uint8Array());
  tell({ runId: 'run', offset: 1, frames: started, turnSeq: undefined });
  found.resolve(undefined);
  await new Promise(setImmediate);
  expect(tail.lastOffset).toBe(1);
  expect(tail.after(0)).toEqual([started]);
});
