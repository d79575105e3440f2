import { expect, it, vi } from 'vitest';
import { RunEvents } from '../../src/chat/run_events.ts';
import { Runs } from '../../src/chat/runs.ts';
import { ParleyError } from '../../src/errors.ts';

it('whoever cannot look at the run of his retry listens to it no longer', async () => {
  const hangUp = vi.fn();
  const log = {
    listen: async () => hangUp,
    read: () => Promise.reject(new ParleyError('STORAGE_UNAVAILABLE', 'away')),
  };
  const events = new RunEvents(log as never);
  const runs = new Runs({ events, starter: { start: async () => 'a run there was' } } as never);
  const key = { namespace: 'default', sessionId: 'a' };
  const begun = runs.begin(key, { turns: [] } as never, {} as never, new AbortController().signal);
  await expect(begun).rejects.toMatchObject({ reason: 'STORAGE_UNAVAILABLE' });
  await vi.waitFor(() => expect(hangUp).toHaveBeenCalledOnce());
});
