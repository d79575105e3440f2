import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { TimeLimit } from '../../src/redis/time_limit.ts';

/** A command nobody answers until `answer` is called. */
class Command {
  isSettled = false;
  error: Error | undefined;

  answer(): void {
    this.isSettled = true;
  }

  reject(error: Error): void {
    this.isSettled = true;
    this.error = error;
  }
}

function limitOf(milliseconds: number): TimeLimit {
  const limit = new TimeLimit(milliseconds);
  onTestFinished(() => limit.close());
  return limit;
}

it('gives up on what takes longer, and on nothing that was answered or came later', async () => {
  const limit = limitOf(300);
  const [answered, late, later] = [new Command(), new Command(), new Command()];
  limit.set(answered);
  limit.set(late);
  await sleep(200);
  limit.set(later);
  answered.answer();
  await vi.waitFor(() => expect(late.error?.message).toBe('Redis did not answer in time'), 1_000);
  expect(answered.error).toBeUndefined();
  expect(later.error).toBeUndefined();
  await vi.waitFor(() => expect(later.error).toBeDefined(), 1_000);
});

it('is idle when all is answered, also behind one that was given up', async () => {
  const limit = limitOf(50);
  expect(limit.isIdle).toBe(true);
  const [first, second] = [new Command(), new Command()];
  limit.set(first);
  limit.set(second);
  expect(limit.isIdle).toBe(false);
  second.answer();
  expect(limit.isIdle).toBe(false);
  await vi.waitFor(() => expect(first.error).toBeDefined(), 1_000);
  expect(limit.isIdle).toBe(true);
});

it('goes on looking after a rest', async () => {
  const limit = limitOf(50);
  const first = new Command();
  limit.set(first);
  first.answer();
  await sleep(200);
  const second = new Command();
  limit.set(second);
  await vi.waitFor(() => expect(second.error).toBeDefined(), 1_000);
});

it('is patient while something comes, however slowly', async () => {
  const limit = limitOf(300);
  const waiting = new Command();
  limit.set(waiting);
  for (let time = 0; time < 8; time++) {
    await sleep(200); // longer than from look to look
    limit.heard();
  }
  expect(waiting.error).toBeUndefined();
  await vi.waitFor(() => expect(waiting.error).toBeDefined(), 1_000);
});

it('does not wait for ever for one that others overtake', async () => {
  const limit = limitOf(30);
  const waiting = new Command();
  limit.set(waiting);
  const heard = setInterval(() => limit.heard(), 5);
  onTestFinished(() => clearInterval(heard));
  await vi.waitFor(() => expect(waiting.error).toBeDefined(), 2_000);
});
