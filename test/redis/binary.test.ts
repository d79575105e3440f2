import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findRedis, type RedisBinary, RedisNotFoundError } from '../../src/redis/binary.ts';

const announce = (): void => {};

describe('looking for a Redis', () => {
  let dir: string;
  let real: RedisBinary;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'parley-test-'));
    real = await findRedis({ announce });
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(dir, { recursive: true });
  });

  /** An installation below dir whose command does what the script says. */
  function install(name: string, script: string, modules: string): string {
    mkdirSync(join(dir, 'bin'));
    writeFileSync(join(dir, 'bin', name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, 'bin', name), 0o755);
    mkdirSync(join(dir, dirname(modules)), { recursive: true });
    symlinkSync(real.modulesDir, join(dir, modules));
    return join(dir, 'bin', name);
  }

  function onlyPath(path: string): void {
    vi.stubEnv('PATH', path);
    vi.stubEnv('XDG_CACHE_HOME', join(dir, 'cache'));
  }

  it('takes the one the settings name, with the modules beside it', async () => {
    expect(await findRedis({ server: real.server, announce })).toEqual(real);
  });

  it('says what a named program printed when it is no Redis', async () => {
    const server = install('redis-server', 'echo I bake bread; exit 3', 'lib');
    const failure = findRedis({ server, announce });
    await expect(failure).rejects.toThrow(RedisNotFoundError);
    await expect(failure).rejects.toThrow(
      `${server} does not start with its modules. It printed:\nI bake bread`,
    );
  });

  it('says when a named program or its modules are not there', async () => {
    await expect(findRedis({ server: join(dir, 'nothing'), announce })).rejects.toThrow(
      `there is no ${dir}/nothing`,
    );
    const options = { server: real.server, modulesDir: dir, announce };
    await expect(findRedis(options)).rejects.toThrow(`no rejson.so and redisearch.so in ${dir}`);
  });

  it('takes Redis Stack from PATH, past its start script', async () => {
    const script = install('redis-stack-server', 'exit 1', 'lib');
    symlinkSync(real.server, join(dirname(script), 'redis-server'));
    onlyPath(dirname(script));
    expect((await findRedis({ announce })).server).toBe(join(dir, 'bin', 'redis-server'));
  });

  it('takes Redis 8 from PATH, with the modules it keeps under lib/redis', async () => {
    const server = install('redis-server', `exec '${real.server}' "$@"`, 'lib/redis/modules');
    onlyPath(dirname(server));
    expect(await findRedis({ announce })).toEqual({ server, modulesDir: join(dir, 'lib/redis/modules') });
  });

  it('passes over one on PATH that does not work', async () => {
    const server = install('redis-server', 'exit 1', 'lib');
    vi.stubEnv('PATH', dirname(server));
    expect(await findRedis({ announce })).toEqual(real);
  });

  it('names the ways to get one when there is none and none can be fetched', async () => {
    onlyPath(join(dir, 'empty'));
    const failure = findRedis({ announce });
    await expect(failure).rejects.toThrow(RedisNotFoundError);
    await expect(failure).rejects.toThrow(/REDIS_URL(.|\n)*PARLEY_REDIS_SERVER(.|\n)*python3 with pip/);
    expect(existsSync(join(dir, 'cache', 'parley', 'redis-stack-7.4.0-v1'))).toBe(false);
  });

  it('keeps nothing of a fetch that failed, nor of one that was killed', async () => {
    mkdirSync(join(dir, 'cache', 'parley', `redis-stack-7.4.0-v1.${2 ** 22 + 1}`), { recursive: true });
    const python = install('python3', 'for target; do :; done; mkdir -p "$target"; exit 1', 'lib');
    onlyPath(`${dirname(python)}:/usr/bin:/bin`);
    await expect(findRedis({ announce })).rejects.toThrow('could not be fetched: python3 -m pip failed');
    expect(readdirSync(join(dir, 'cache', 'parley'))).toEqual([]);
  });
});
