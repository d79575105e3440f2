/** Starts Parley as anybody would: from `src/main.ts`, on a fresh data directory, with its own private Redis. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ParleyClient } from './client.ts';
import { PrivateRedis } from './private_redis.ts';
import { ServerProcess } from './server_process.ts';

/** PARLEY_BENCH_MAIN: another script to start instead; it must keep the same promises. For work on the bench. */
const MAIN = process.env.PARLEY_BENCH_MAIN ?? new URL('../../src/main.ts', import.meta.url).pathname;

export interface ParleyServer extends AsyncDisposable {
  readonly address: string;
  /** The server's pid, then its Redis's. */
  readonly pids: readonly [number, number];
  readonly redis: PrivateRedis;
  readonly client: ParleyClient;
}

/** A server with nothing in it. Its data directory is made in `folder` and goes with it; `settings` are over the defaults. */
export async function startParley(folder: string, settings: NodeJS.ProcessEnv = {}): Promise<ParleyServer> {
  const dataDir = mkdtempSync(join(folder, 'parley-bench-'));
  const server = new ServerProcess('parley', MAIN, [], { ...environment(dataDir), ...settings });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  cleanup.use(server);
  const address = await server.address();
  const redis = cleanup.use(PrivateRedis.of(server.pid));
  const client = cleanup.use(new ParleyClient(address));
  const stop = cleanup.move();
  const pids = [server.pid, redis.pid] as const;
  return { address, pids, redis, client, [Symbol.asyncDispose]: () => stop.disposeAsync() };
}

/** The shell's own Parley settings are left out: the bench measures the defaults. */
function environment(dataDir: string): NodeJS.ProcessEnv {
  const kept = new Set(['PARLEY_REDIS_SERVER', 'PARLEY_REDIS_MODULES']);
  const inherited = Object.entries(process.env).filter(
    ([name]) => kept.has(name) || !/^(PARLEY_|OPENAI_|REDIS_URL$)/.test(name),
  );
  return { ...Object.fromEntries(inherited), PARLEY_ADDRESS: '127.0.0.1:0', PARLEY_DATA_DIR: dataDir };
}
