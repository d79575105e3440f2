import { expect, it } from 'vitest';
import { newId } from '../harness.ts';
import { newFolder, ParleyProcess, sharedRedis } from '../processes.ts';

it('sixteen callers patch one session through two servers, and nothing is lost or done twice', async () => {
  const env = { ...sharedRedis(), PARLEY_KEY_PREFIX: newId() };
  const servers = await Promise.all([new ParleyProcess(env).ready(), new ParleyProcess(env).ready()]);
  const sessionId = newId();
  await servers[0]!.sessions.createSession({ sessionId });
  const call = async (caller: number) => {
    for (let n = 0; n < 20; n++) {
      const { configs } = servers[(caller + n) % 2]!;
      await configs.patchConfigs({
        sessionId,
        configs: { [`${caller}-${n}`]: n },
        requestId: `${caller}-${n}`,
      });
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, caller) => call(caller)));
  for (const { configs } of servers) {
    const state = await configs.getConfigs({ sessionId });
    expect([Object.keys(state.configs!).length, state.revision]).toEqual([320, 320]);
  }
});

it('a second server on the same data directory says so and exits, and the first goes on', async () => {
  const dataDir = newFolder();
  const env = { PARLEY_DATA_DIR: dataDir };
  const first = await new ParleyProcess(env).ready();
  const second = new ParleyProcess(env);
  expect(await second.exit()).toBe(1);
  expect(second.stderr).toContain(`The data directory ${dataDir} is in use by another Parley server`);
  expect(second.stdout).toBe('');
  await first.sessions.createSession({});
});
