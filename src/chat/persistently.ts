/** What a run needs of Redis: nobody can be told to try again, so it does so itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isUnavailable } from '../errors.ts';
import type { Milliseconds } from '../sessions/session.ts';

/** How soon to try again when Redis was away, and for how long. */
const AGAIN: Milliseconds = 250;
const GIVE_UP: Milliseconds = 60_000;

/** Again and again while Redis is away, until `signal` aborts: what is done twice counts once. */
export async function persistently<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const deadline = performance.now() + GIVE_UP;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || performance.now() > deadline) throw error;
    }
    await sleep(AGAIN);
    signal?.throwIfAborted();
  }
}
