import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { newId } from '../harness.ts';
import { ParleyProcess, sharedRedis } from '../processes.ts';
import { newStream, read } from './recorded_stream.ts';
import { expectSound, Recorder } from './recorder.ts';

function twoServers(): ParleyProcess[] {
  const env = { ...sharedRedis(), PARLEY_KEY_PREFIX: newId() };
  return [new ParleyProcess(env), new ParleyProcess(env)];
}

it('streams on a session that goes away end with SESSION_DELETED, whichever server they come from', async () => {
  const servers = twoServers();
  const { sessions, chat } = await servers[0]!.ready();
  const addresses = await Promise.all(servers.map((server) => server.address()));
  const messages = [{ content: 'one' }, { content: 'two' }];
  const story = async (how: string, session: object, leave: (sessionId: string) => Promise<unknown>) => {
    const sessionId = newId();
    await sessions.createSession({ sessionId, session });
    await chat.appendTurns({ sessionId, messages });
    const streams = addresses.map(() => newStream());
    const ended = Promise.all(streams.map((stream, n) => read(addresses[n]!, sessionId, stream)));
    const caughtUp = () => streams.every(({ events }) => events.some(({ kind }) => kind === 'caughtUp'));
    await vi.waitUntil(caughtUp, { timeout: 10_000 });
    await leave(sessionId);
    await ended;
    for (const { events, end } of streams) {
      expect(end, how).toBe('NOT_FOUND SESSION_DELETED');
      expect(
        events.map(({ kind }) => kind),
        how,
      ).toEqual(['turn', 'turn', 'caughtUp']);
    }
  };
  await Promise.all([
    story('deleted', {}, (sessionId) => sessions.deleteSession({ sessionId })),
    story('purged', {}, (sessionId) => sessions.deleteSession({ sessionId, permanent: true })),
    story('made anew', {}, async (sessionId) => {
      await sessions.deleteSession({ sessionId, permanent: true });
      await sessions.createSession({ sessionId });
      await chat.appendTurns({ sessionId, messages });
    }),
    story('expired', { ttl: { seconds: 5n } }, async () => {}),
  ]);
});

it('a server that stops says so, and its followers go on from the other with exactly the rest', async () => {
  const servers = twoServers();
  const story = await Recorder.begin(await Promise.all(servers.map((server) => server.address())));
  for (const name of ['ann', 'bob', 'cyd']) story.follow(name); // from the first server
  let writing = true;
  const write = async () => {
    while (writing) {
      await story.append(2);
      await sleep(2);
    }
  };
  const stop = async () => {
    const underWay = () => story.followers.every(({ streams }) => streams[0]!.events.length > 20);
    await vi.waitUntil(underWay, { timeout: 10_000 });
    servers[0]!.kill('SIGTERM');
    expect(await servers[0]!.exit()).toBe(0);
    writing = false;
  };
  await Promise.all([write(), write(), stop()]);
  const history = await story.finish();

  expectSound(history);
  for (const { streams } of history.followers) {
    expect(streams.map(({ end }) => end)).toEqual([
      'UNAVAILABLE SERVER_STOPPING',
      'NOT_FOUND SESSION_DELETED',
    ]);
    expect(streams[1]!.events.length).toBeGreaterThan(0);
  }
});
