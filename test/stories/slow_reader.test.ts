import { expect, it } from 'vitest';
import { newId } from '../harness.ts';
import { ParleyProcess, sharedRedis } from '../processes.ts';

it('a caller who does not read its stream keeps the server no longer than the grace period', async () => {
  const server = new ParleyProcess({
    ...sharedRedis(),
    PARLEY_KEY_PREFIX: newId(),
    PARLEY_SHUTDOWN_GRACE: '500ms',
  });
  const { sessions, configs } = await server.ready();
  const sessionId = newId();
  await sessions.createSession({ sessionId });
  const watch = configs.watchConfigs({ sessionId })[Symbol.asyncIterator]();
  await watch.next();
  const blob = 'x'.repeat(60_000);
  for (let n = 0; n < 20; n++) await configs.updateConfigs({ sessionId, configs: { n, blob } });
  const asked = performance.now();
  server.kill('SIGTERM');
  expect(await server.exit()).toBe(0);
  expect(performance.now() - asked).toBeLessThan(2000);
});
