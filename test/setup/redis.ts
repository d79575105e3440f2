/**
 * One private Redis with its modules for the whole test run, in a folder of its own. Who needs it asks
 * `inject('redisUrl')` and keeps to a key prefix of its own. Redis that does not start is a red run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { askRedis } from '../../src/redis/data_lock.ts';
import { startEmbeddedRedis } from '../../src/redis/embedded.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The Unix socket of the run's Redis. */
    redisUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-test-'));
  const redis = await startEmbeddedRedis({
    dataDir,
    server: process.env.PARLEY_REDIS_SERVER,
    modulesDir: process.env.PARLEY_REDIS_MODULES,
    announce: (line) => process.stderr.write(`${line}\n`),
    onExit: (line) => process.stderr.write(`${line}\n`),
  });
  // Nothing of it is to survive: stories that kill Redis have one of their own. And where all tests write at once,
  // megabytes some of them, a disk that must have each write first makes Redis seem gone to the others.
  await askRedis(redis.path, 'CONFIG SET appendonly no', 5000);
  project.provide('redisUrl', redis.path);
  return async () => {
    await redis.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}
