import { afterEach, expect, it, vi } from 'vitest';
import { now } from '../../src/sessions/clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('never says the same twice and never goes backward', () => {
  const times = Array.from({ length: 10_000 }, now);
  for (const [at, time] of times.entries()) if (at > 0) expect(time).toBeGreaterThan(times[at - 1]!);
});

it('is the time in microseconds', () => {
  vi.useFakeTimers({ now: Date.now() + 60_000 });
  expect(now()).toBe(Date.now() * 1000);
  expect(now()).toBe(Date.now() * 1000 + 1);
  vi.advanceTimersByTime(1);
  expect(now()).toBe(Date.now() * 1000);
});

it('goes on counting when the clock of the machine is set back', () => {
  const before = now();
  vi.useFakeTimers({ now: Date.now() - 3_600_000 });
  expect(now()).toBe(before + 1);
});
