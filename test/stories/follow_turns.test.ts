import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { ParleyProcess, RedisProcess } from '../processes.ts';
import { expectSound, Recorder } from './recorder.ts';

const WRITERS = 4;
const APPENDS = 80;
const CUT_WITHIN = 60;
const PAUSE = 30;

it('through cuts, removals and a restart of Redis, every follower holds the log and no append is lost', async () => {
  const redis = await RedisProcess.start();
  const servers = [1, 2].map(() => new ParleyProcess({ REDIS_URL: redis.url }));
  const story = await Recorder.begin(await Promise.all(servers.map((server) => server.address())));
  story.cutWithin(CUT_WITHIN);
  for (const name of ['ann', 'bob', 'cyd']) story.follow(name);

  const write = async () => {
    for (let n = 1; n <= APPENDS; n++) {
      await story.append(1 + (n % 3));
      await sleep(Math.random() * PAUSE);
    }
  };
  let writing = true;
  const written = Promise.all(Array.from({ length: WRITERS }, write)).finally(() => {
    writing = false;
  });
  const remove = async () => {
    await story.append(1);
    const others = [() => story.clear(), () => story.rewindNothing(), () => story.truncate()];
    for (let n = 0; writing; n++) {
      await story.rewind();
      await sleep(Math.random() * PAUSE);
      await others[n % others.length]!();
      await sleep(Math.random() * PAUSE);
    }
  };
  const restart = async () => {
    await vi.waitUntil(() => story.writes.length > (WRITERS * APPENDS) / 2, { timeout: 30_000 });
    story.cutWithin(undefined);
    await redis.kill();
    const ends = () => story.followers.flatMap(({ streams }) => streams.map(({ end }) => end));
    const felt = () => story.refused > 0 && ends().includes('UNAVAILABLE STORAGE_UNAVAILABLE');
    await vi.waitUntil(felt, { timeout: 10_000 });
    await redis.start();
    story.cutWithin(CUT_WITHIN);
  };
  const join = async () => {
    for (const name of ['eve', 'fay', 'gus']) {
      await sleep(200);
      story.follow(name);
    }
    await story.listAndFollow('hal');
  };
  await Promise.all([written, remove(), restart(), join()]);
  const history = await story.finish();

  expectSound(history);
  // And it was this story: streams were cut off, copies emptied.
  const streams = history.followers.flatMap((follower) => follower.streams);
  expect(streams.filter(({ end }) => end === 'cut').length).toBeGreaterThan(10);
  expect(streams.some(({ events }) => events.some(({ kind }) => kind === 'reset'))).toBe(true);
});
