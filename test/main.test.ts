import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { newId } from './harness.ts';
import { MAIN, ParleyProcess, RedisProcess, sharedRedis } from './processes.ts';

/** What is printed by a start that must fail. */
async function refused(settings: NodeJS.ProcessEnv, args: string[] = []): Promise<string> {
  const server = new ParleyProcess(settings, args);
  expect(await server.exit()).toBe(1);
  expect(server.stdout).toBe('');
  return server.stderr;
}

describe('a start is refused, and the message says what to do:', () => {
  it('a Redis without the modules', async () => {
    const redis = await RedisProcess.start([], { modules: false });
    const text = await refused({ REDIS_URL: redis.url });
    expect(text).toMatch(/^parley: this Redis has no RedisJSON and no RediSearch: use Redis 8/m);
  });

  it('a Redis that would drop sessions when it is full', async () => {
    const redis = await RedisProcess.start(['--maxmemory-policy', 'allkeys-lru']);
    const text = await refused({ REDIS_URL: redis.url });
    expect(text).toMatch(/^parley: this Redis would drop sessions .*allkeys-lru.*noeviction/m);
  });

  it('a REDIS_URL where nobody answers, its password left out', async () => {
    const text = await refused({ REDIS_URL: 'redis://user:secret@127.0.0.1:1' });
    expect(text).toContain('no Redis answers at redis://');
    expect(text).toContain('127.0.0.1:1');
    expect(text).not.toContain('secret');
  });

  it('an address that is taken', async () => {
    const env = { ...sharedRedis(), PARLEY_KEY_PREFIX: newId() };
    const first = new ParleyProcess(env);
    await first.ready();
    const address = /listening on (\S+)/.exec(first.stdout)![1]!;
    expect(await refused({ ...env, PARLEY_ADDRESS: address })).toContain(`cannot listen on ${address}`);
  });

  it.each([
    ['PARLEY_ADDRESS', '0.0.0.0:0', 'PARLEY_INSECURE'],
    ['PARLEY_ADDRESS', '127.0.0.1:0,[::]:0', 'PARLEY_INSECURE'],
    ['PARLEY_ADDRESS', 'localhost', 'host:port'],
    ['REDIS_URL', 'http://localhost', 'redis://'],
    ['PARLEY_SHUTDOWN_GRACE', 'soon', '10s'],
    ['PARLEY_DELETED_RETENTION', '-1d', '30d'],
    ['PARLEY_LOG_LEVEL', 'loud', 'info'],
    ['PARLEY_KEY_PREFIX', 'a{b}', 'letters'],
    ['PARLEY_INSECURE', 'maybe', 'true or false'],
    ['PARLEY_REDIS_SERVER', '/no/such/redis-server', 'there is no /no/such/redis-server'],
  ])('%s=%s', async (name, value, hint) => {
    const text = await refused({ [name]: value });
    expect(text).toMatch(new RegExp(`^parley: ${name}: `));
    expect(text).toContain(hint);
  });

  it('a word it does not know', async () => {
    expect(await refused({}, ['--port=1'])).toMatch(/^parley: .*--port/);
  });
});

describe('parley', () => {
  it('serves and stops though its log cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const env = {
      ...process.env,
      ...sharedRedis(),
      PARLEY_KEY_PREFIX: newId(),
      PARLEY_ADDRESS: '127.0.0.1:0',
    };
    const stdio = ['ignore', 'pipe', full] as const;
    const server = spawn(process.execPath, [MAIN], { env, stdio: [...stdio] });
    onTestFinished(() => void server.kill('SIGKILL'));
    const [ready] = await once(server.stdout!, 'data');
    expect(String(ready)).toContain('parley listening');
    server.kill('SIGTERM'); // which it would tell of
    expect(await once(server, 'exit')).toEqual([0, null]);
  });

  it('outlives a promise that fails while nobody waits for it, and its log says so', async () => {
    const program = "setTimeout(() => Promise.reject(new Error('alone')), 1000)";
    const server = new ParleyProcess({
      ...sharedRedis(),
      PARLEY_KEY_PREFIX: newId(),
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(program)}`,
    });
    server.mayHaveDefects = true;
    const { health } = await server.ready();
    await vi.waitUntil(() => server.stderr.includes('alone'), 10_000);
    expect(JSON.parse(server.stderr.split('\n').find((line) => line.includes('alone'))!)).toMatchObject({
      level: 50,
      err: { message: 'alone' },
    });
    expect((await health.check({})).status).toBe(1);
  });

  it('--help lists every setting with its default, and starts nothing', async () => {
    const server = new ParleyProcess({ REDIS_URL: 'nonsense' }, ['--help']);
    expect(await server.exit()).toBe(0);
    for (const line of [
      /PARLEY_ADDRESS +127\.0\.0\.1:50051 /,
      /REDIS_URL +\(embedded\) /,
      /PARLEY_DATA_DIR +\.\/data /,
    ])
      expect(server.stdout).toMatch(line);
    expect(server.stderr).toBe('');
  });

  it.each([
    ['--insecure', {}, ['--insecure']],
    ['PARLEY_INSECURE', { PARLEY_INSECURE: 'true' }, []],
  ])('listens everywhere with %s', async (_, settings, args) => {
    const env = {
      ...sharedRedis(),
      PARLEY_KEY_PREFIX: newId(),
      PARLEY_ADDRESS: '0.0.0.0:0,127.0.0.1:0',
      ...settings,
    };
    const server = new ParleyProcess(env, args);
    await server.ready();
    const lines = /^parley listening on 0\.0\.0\.0:[1-9]\d*\nparley listening on 127\.0\.0\.1:[1-9]\d*\n$/;
    await vi.waitFor(() => expect(server.stdout).toMatch(lines)); // one line after the other
  });
});
