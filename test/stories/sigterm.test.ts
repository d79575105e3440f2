import { expect, it } from 'vitest';
import { newId } from '../harness.ts';
import { ParleyProcess, RedisProcess } from '../processes.ts';
import { failure, summary } from '../refusal.ts';

it('on SIGTERM the call under way finishes, streams end with SERVER_STOPPING, and the process exits 0', async () => {
  const redis = await RedisProcess.start();
  const server = new ParleyProcess({ REDIS_URL: redis.url });
  const { sessions, configs, health } = await server.ready();
  const sessionId = newId();
  await sessions.createSession({ sessionId });
  const watch = configs.watchConfigs({ sessionId })[Symbol.asyncIterator]();
  await watch.next();

  redis.pause();
  const call = configs.patchConfigs({ sessionId, configs: { a: 1 } });
  await health.check({}); // behind it on the same connection: the patch has arrived
  server.kill('SIGTERM');
  expect(summary(await failure(watch.next()))).toBe('UNAVAILABLE SERVER_STOPPING');
  redis.resume();
  expect((await call).configs).toEqual({ a: 1 });
  expect(await server.exit()).toBe(0);
});

it('a call that does not finish is cut off after the grace period', async () => {
  const redis = await RedisProcess.start();
  const server = new ParleyProcess({ REDIS_URL: redis.url, PARLEY_SHUTDOWN_GRACE: '300ms' });
  const { sessions, health } = await server.ready();
  redis.pause();
  const call = failure(sessions.createSession({}));
  await health.check({});
  const asked = performance.now();
  server.kill('SIGTERM');
  expect(await server.exit()).toBe(0);
  expect(performance.now() - asked).toBeLessThan(1500);
  await call;
});

it.each(['SIGTERM', 'SIGINT'] as const)(
  '%s to an idle server with its own Redis ends both, and standard output had the ready line alone',
  async (signal) => {
    const server = new ParleyProcess({});
    const { sessions } = await server.ready();
    await sessions.createSession({});
    server.kill(signal);
    expect(await server.exit()).toBe(0);
    expect(server.stdout).toMatch(/^parley listening on 127\.0\.0\.1:\d+\n$/);
  },
);
