import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Slices } from '../src/slices.ts';

it('many who have work at once let others have their turns', async () => {
  const slices = new Slices(10);
  let working = 100;
  let turns = 0;
  const work = async () => {
    for (let piece = 0; piece < 20; piece++) {
      for (const until = performance.now() + 0.2; performance.now() < until; );
      await slices.whenDue();
    }
    working--;
  };
  const all = Promise.all(Array.from({ length: 100 }, work));
  while (working > 0) {
    await sleep(1);
    turns++;
  }
  await all;
  expect(turns).toBeGreaterThan(10); // 400 ms of work, 10 at a time
});

it('one who has little is not kept waiting', () => {
  const slices = new Slices(10);
  expect([slices.whenDue(), slices.whenDue()]).toEqual([undefined, undefined]);
});
