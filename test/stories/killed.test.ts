import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newId } from '../harness.ts';
import { newFolder, ParleyProcess } from '../processes.ts';

it('every acknowledged write is there after server and Redis were killed at once', async () => {
  const dataDir = newFolder();
  const first = new ParleyProcess({ PARLEY_DATA_DIR: dataDir });
  const { sessions, configs } = await first.ready();
  const acknowledged = new Map<string, number>();
  let count = 0;
  const plenty = Promise.withResolvers<void>();
  const write = async () => {
    const sessionId = newId();
    await sessions.createSession({ sessionId, session: { metadata: { story: 'killed' } } });
    for (let n = 1; ; n++) {
      await configs.patchConfigs({ sessionId, configs: { [`key-${n}`]: n } });
      acknowledged.set(sessionId, n);
      if (++count === 300) plenty.resolve();
    }
  };
  const writers = Array.from({ length: 8 }, write);
  await Promise.race([plenty.promise, ...writers]);
  process.kill(redisOf(dataDir), 'SIGKILL');
  first.kill('SIGKILL');
  expect(await first.exit()).toBe('SIGKILL');
  for (const outcome of await Promise.allSettled(writers)) expect(outcome.status).toBe('rejected');

  const second = await new ParleyProcess({ PARLEY_DATA_DIR: dataDir }).ready();
  expect(acknowledged.size).toBe(8);
  for (const [sessionId, n] of acknowledged) {
    const kept = await second.configs.getConfigs({ sessionId });
    const expected = Object.fromEntries(
      Array.from({ length: n }, (_, index) => [`key-${index + 1}`, index + 1]),
    );
    expect(kept.configs).toMatchObject(expected);
    const { revisions } = await second.configs.listConfigsRevisions({ sessionId, pageSize: 1 });
    expect(revisions[0]).toMatchObject({ revision: kept.revision, configs: kept.configs });
  }
  const listed = await second.sessions.listSessions({ metadataFilter: { story: 'killed' } });
  expect(new Set(listed.sessions.map(({ sessionId }) => sessionId))).toEqual(new Set(acknowledged.keys()));
});

it('a write whose answer was lost in the crash happens once when it is sent again', async () => {
  const dataDir = newFolder();
  const first = new ParleyProcess({ PARLEY_DATA_DIR: dataDir });
  const { sessions, configs } = await first.ready();
  const { session } = await sessions.createSession({ requestId: 'create' });
  const ask = { sessionId: session!.sessionId, requestId: 'patch', configs: { n: 1 } };
  const answer = await configs.patchConfigs(ask);
  process.kill(redisOf(dataDir), 'SIGKILL');
  first.kill('SIGKILL');
  await first.exit();

  const second = await new ParleyProcess({ PARLEY_DATA_DIR: dataDir }).ready();
  expect((await second.sessions.createSession({ requestId: 'create' })).session).toEqual(session);
  expect(await second.configs.patchConfigs(ask)).toEqual(answer);
  expect((await second.configs.getConfigs({ sessionId: ask.sessionId })).revision).toBe(1);
});

it('a server whose private Redis is killed starts it again by itself, and nothing is lost', async () => {
  const dataDir = newFolder();
  const { sessions, health } = await new ParleyProcess({ PARLEY_DATA_DIR: dataDir }).ready();
  const { session } = await sessions.createSession({ session: { configs: { a: 1 } } });
  const statuses = health.watch({})[Symbol.asyncIterator]();
  const next = async () => (await statuses.next()).value?.status;
  expect(await next()).toBe(1);
  process.kill(redisOf(dataDir), 'SIGKILL');
  expect([await next(), await next()]).toEqual([2, 1]);
  expect((await sessions.getSession({ sessionId: session!.sessionId })).session).toEqual(session);
});

/** The process id of the private Redis on a data directory. */
function redisOf(dataDir: string): number {
  return JSON.parse(readFileSync(join(dataDir, 'redis.json'), 'utf8')).redis.pid;
}
