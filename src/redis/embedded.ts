/**
 * The private Redis a server starts as its child when no REDIS_URL is set, and takes down with itself.
 *
 * It listens on a Unix socket in a folder only this user can enter, writes every change to disk before it
 * answers, and is started again when it dies. It runs in a process group of its own, so that a Ctrl-C
 * reaches only the server, which stops it last. A server that is killed outright leaves it running:
 * `redis.json` in the data directory tells the next start which one to stop.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../errors.ts';
import { findRedis, moduleArguments, type RedisBinary, RedisNotFoundError } from './binary.ts';
import {
  askRedis,
  DataDirectoryInUseError,
  type DataLock,
  forgetRedis,
  identityOf,
  lockDataDirectory,
  rememberRedis,
  stopOrphanRedis,
} from './data_lock.ts';

export { DataDirectoryInUseError, RedisNotFoundError };

export interface EmbeddedRedisOptions {
  /** Where the data, the log and the lock live. Created, for this user only, when missing. */
  readonly dataDir: string;
  /** PARLEY_REDIS_SERVER: path of the redis-server to start. */
  readonly server?: string | undefined;
  /** PARLEY_REDIS_MODULES: folder with rejson.so and redisearch.so. */
  readonly modulesDir?: string | undefined;
  /** Told what takes a while, in words for people. */
  readonly announce: (line: string) => void;
  /** Told that the child died unasked and when it is started again. */
  readonly onExit?: (line: string) => void;
}

export interface EmbeddedRedis {
  /** The Unix socket; the same for as long as this object lives, restarts included. */
  readonly path: string;
  /** Undefined while a dead child waits to be started again. */
  readonly pid: number | undefined;
  /** Stops Redis, by force after 5 s, and gives the data directory back. May be called twice. */
  stop(): Promise<void>;
}

/** Redis was found but does not run, or the data directory is of no use. */
export class EmbeddedRedisError extends StartError {
  override readonly name = 'EmbeddedRedisError';
}

/**
 * Resolves when Redis answers and has loaded its data, however long that takes.
 * Throws RedisNotFoundError, DataDirectoryInUseError or EmbeddedRedisError, with nothing left behind.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const dataDir = resolve(options.dataDir);
  const lock = claimDirectory(dataDir);
  try {
    await stopOrphanRedis(dataDir, options.announce);
    const binary = await findRedis(options);
    const redis = new SupervisedRedis(binary, dataDir, lock, options.onExit ?? (() => {}));
    await redis.start(options.announce);
    return redis;
  } catch (error) {
    lock.release();
    throw error;
  }
}

function claimDirectory(dataDir: string): DataLock {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return lockDataDirectory(dataDir);
  } catch (error) {
    if (error instanceof DataDirectoryInUseError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new EmbeddedRedisError(
      `The data directory ${dataDir} cannot be written: ${why}. Set PARLEY_DATA_DIR to one that can.`,
      { cause: error },
    );
  }
}

/** One child after another on the same socket, until stop(). */
class SupervisedRedis implements EmbeddedRedis {
  readonly path: string;
  readonly #binary: RedisBinary;
  readonly #dataDir: string;
  readonly #lock: DataLock;
  readonly #onExit: (line: string) => void;
  readonly #socketDir: string;
  readonly #stopping = new AbortController();
  #child: Child;
  #supervision: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(binary: RedisBinary, dataDir: string, lock: DataLock, onExit: (line: string) => void) {
    this.#binary = binary;
    this.#dataDir = dataDir;
    this.#lock = lock;
    this.#onExit = onExit;
    // A socket's path is limited to some 100 bytes; a data directory is not, nor is TMPDIR.
    this.#socketDir = mkdtempSync(join(tmpdir().length < 64 ? tmpdir() : '/tmp', 'parley-'));
    this.path = join(this.#socketDir, 'redis.sock');
    this.#child = this.#launch();
    process.on('exit', this.#takeDown);
  }

  get pid(): number | undefined {
    return this.#child.end === undefined ? this.#child.process.pid : undefined;
  }

  async start(announce: (line: string) => void): Promise<void> {
    try {
      await untilReady(this.#child, this.path, announce);
      this.#supervision = this.#supervise();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #supervise(): Promise<void> {
    for (let pause = 100; ; pause = Math.min(pause * 2, 5_000)) {
      const born = Date.now();
      const end = await this.#child.ended;
      if (this.#stopping.signal.aborted) return;
      if (Date.now() - born > 10_000) pause = 100;
      this.#onExit(`Redis ${end}; starting it again in ${pause} ms. Its log is ${logFile(this.#dataDir)}`);
      await sleep(pause, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return;
      try {
        this.#child = this.#launch();
      } catch (error) {
        // A full disk, most likely: the same that Redis died of. The next round waits longer.
        this.#onExit(`Redis cannot be started: ${(error as Error).message}`);
      }
    }
  }

  async #shutDown(): Promise<void> {
    this.#stopping.abort();
    this.#child.process.kill('SIGTERM');
    const force = setTimeout(() => this.#child.process.kill('SIGKILL'), 5_000);
    await this.#child.ended;
    await this.#supervision;
    clearTimeout(force);
    process.off('exit', this.#takeDown);
    forgetRedis(this.#dataDir);
    rmSync(this.#socketDir, { recursive: true, force: true });
    this.#lock.release();
  }

  /** For a server that ends without stop(), when it is too late to wait for anything. */
  readonly #takeDown = (): void => {
    this.#child.process.kill('SIGTERM');
    rmSync(this.#socketDir, { recursive: true, force: true });
  };

  #launch(): Child {
    // Before and after: even a server killed between the two leaves a way to its Redis.
    rememberRedis(this.#dataDir, { socket: this.path });
    const child = launch(this.#binary, this.#dataDir, this.path);
    const { pid } = child.process;
    if (pid !== undefined) rememberRedis(this.#dataDir, { socket: this.path, redis: identityOf(pid) });
    return child;
  }
}

interface Child {
  readonly process: ChildProcess;
  readonly log: string;
  /** Where this child's part of the log begins. */
  readonly logStart: number;
  /** How it ended, as in "ended with code 1"; undefined while it runs. */
  end: string | undefined;
  readonly ended: Promise<string>;
}

const logFile = (dataDir: string): string => join(dataDir, 'redis.log');

/** The log takes what Redis prints, so that it also has what a loader or a wrong program has to say. */
function launch(binary: RedisBinary, dataDir: string, socket: string): Child {
  const log = logFile(dataDir);
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  const full = size > 10 * 1024 * 1024;
  const output = openSync(log, full ? 'w' : 'a', 0o600);
  const redis = spawn(binary.server, redisArguments(binary.modulesDir, dataDir, socket), {
    stdio: ['ignore', output, output],
    detached: true,
    env: { ...process.env, LC_ALL: 'C' }, // Redis refuses to start in a locale the system lacks
  });
  closeSync(output);
  redis.unref();
  const { promise, resolve: settle } = Promise.withResolvers<string>();
  const child: Child = { process: redis, log, logStart: full ? 0 : size, end: undefined, ended: promise };
  const onEnd = (end: string): void => {
    child.end ??= end;
    settle(child.end);
  };
  redis.once('error', (error) => onEnd(`could not be started (${error.message})`));
  redis.once('exit', (code, signal) =>
    onEnd(signal === null ? `ended with code ${code}` : `died of ${signal}`),
  );
  return child;
}

function redisArguments(modulesDir: string, dataDir: string, socket: string): string[] {
  const listen = ['--port', '0', '--unixsocket', socket, '--unixsocketperm', '700', '--daemonize', 'no'];
  // The append-only file is all there is on disk. Redis rewrites it, in a fork, whenever it has doubled and is
  // over 64 MB (its defaults), so it stays within about twice the data. Compressing what is rewritten would save a
  // seventh of the disk, and take a core for more than twice as long while others are served.
  const log = ['--appendonly', 'yes', '--appendfsync', 'always', '--rdbcompression', 'no'];
  const disk = ['--dir', dataDir, '--save', '', ...log];
  // A session with little to say costs 1.2 KB a stream instead of 4.3.
  const memory = ['--maxmemory-policy', 'noeviction', '--stream-node-max-bytes', '1024'];
  return [...listen, ...disk, ...memory, ...moduleArguments(modulesDir)];
}

async function untilReady(child: Child, socket: string, announce: (line: string) => void): Promise<void> {
  const start = Date.now();
  for (let told = false, listens = false; ; await sleep(5)) {
    if (child.end !== undefined) throw startFailure(child, child.end);
    const answer = await askRedis(socket, 'PING', 1_000).catch(() => undefined);
    if (answer?.startsWith('+PONG')) return;
    listens ||= answer !== undefined; // -LOADING, or nothing while it reads something large
    const waited = Date.now() - start;
    if (!listens && waited > 30_000) throw startFailure(child, 'was not listening after 30 s');
    if (listens && waited > 2_000 && !told) {
      announce('Redis is loading its data');
      told = true;
    }
  }
}

function startFailure({ process: { spawnfile }, log, logStart }: Child, how: string): EmbeddedRedisError {
  const printed = readFileSync(log).subarray(logStart).toString().trim().split('\n').slice(-10).join('\n');
  return new EmbeddedRedisError(
    `Redis (${spawnfile}) ${how}, before it was ready. The last lines of ${log}:\n${printed || '(none)'}`,
  );
}
