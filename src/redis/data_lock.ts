/**
 * One server per data directory: two Redis appending to the same files would destroy them.
 *
 * The lock is a file that names its owner. It needs no clean-up after a crash: a lock whose owner is gone
 * counts for nothing. Taking over such a lock is the hard part, because "look, then replace" lets two
 * starters replace each other. So every lock has an id, and replacing the one with id X takes the right to
 * it first, which is a lock of its own (`parley.lock.X`), taken in the same way. As only the holder of that
 * right touches a dead lock X, what it looked at is what it replaces.
 *
 * It guards against processes that see each other: two containers that share a volume do not.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../errors.ts';

/** One run of one process. A pid alone comes back after a while; with its start time it does not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Boot and clock tick of the start; null where the system has no /proc, and the pid has to do. */
  readonly startTime: string | null;
}

interface Owner extends ProcessIdentity {
  readonly id: string;
}

export interface DataLock {
  release(): void;
}

/** Another live server has the data directory. */
export class DataDirectoryInUseError extends StartError {
  override readonly name = 'DataDirectoryInUseError';
  readonly pid: number;

  constructor(dataDir: string, pid: number) {
    super(
      `The data directory ${dataDir} is in use by another Parley server, process ${pid}. ` +
        'Stop that one first, or give this one a directory of its own with PARLEY_DATA_DIR. ' +
        'To run several servers on the same data, point them all at one Redis with REDIS_URL.',
    );
    this.pid = pid;
  }
}

/** Takes the lock of an existing directory. Throws DataDirectoryInUseError when a live process has it. */
export function lockDataDirectory(dataDir: string): DataLock {
  const path = join(dataDir, 'parley.lock');
  const me: Owner = { ...identityOf(process.pid), id: randomUUID() };
  // Written in full under a name of its own, then linked: nobody ever reads half a lock.
  const draft = `${path}.new-${me.id}`;
  writeFileSync(draft, `${JSON.stringify(me)}\n`, { flag: 'wx' });
  try {
    claim(path, draft, dataDir);
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    release: () => {
      if (readOwner(path)?.id === me.id) rmSync(path, { force: true });
    },
  };
}

function claim(path: string, draft: string, dataDir: string): void {
  while (!linked(draft, path)) {
    const owner = readOwner(path);
    if (owner === undefined) continue; // released between the two looks
    if (isRunning(owner)) throw new DataDirectoryInUseError(dataDir, owner.pid);
    const right = `${path}.${owner.id}`;
    claim(right, draft, dataDir);
    if (readOwner(path)?.id !== owner.id) {
      rmSync(right); // somebody was faster
      continue;
    }
    renameSync(right, path); // one step: the lock is ours and the right is given up
    return;
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** One that makes no sense was cut short by a power failure, so it has no living owner. Undefined: it is gone. */
function readOwner(path: string): Owner | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new StartError(`The lock of the data directory cannot be read: ${message}`);
  }
  return parsed<Owner>(text) ?? { pid: 0, startTime: null, id: 'unreadable' };
}

/** The Redis on a data directory, kept beside the data for the case that its server is killed outright. */
export interface RememberedRedis {
  readonly socket: string;
  readonly redis?: ProcessIdentity;
}

const memoryFile = (dataDir: string): string => join(dataDir, 'redis.json');

export function rememberRedis(dataDir: string, redis: RememberedRedis): void {
  const draft = `${memoryFile(dataDir)}.new`;
  writeFileSync(draft, `${JSON.stringify(redis)}\n`);
  renameSync(draft, memoryFile(dataDir));
}

export function forgetRedis(dataDir: string): void {
  rmSync(memoryFile(dataDir), { force: true });
}

/**
 * Stops the Redis of a server that was killed, and returns once it is gone. To be called under the lock.
 * Nothing is lost: it has on disk whatever it acknowledged. It is asked over its own socket; signals go only
 * to a process that started when it did and carries the socket's unique name in its command line.
 */
export async function stopOrphanRedis(dataDir: string, announce: (line: string) => void): Promise<void> {
  const { socket, redis } = parsed<RememberedRedis>(readOrUndefined(memoryFile(dataDir))) ?? {};
  if (socket === undefined) return;
  const isThere = (): boolean =>
    redis !== undefined &&
    isRunning(redis) &&
    readOrUndefined(`/proc/${redis.pid}/cmdline`)?.includes(socket) === true;
  if (isThere()) announce(`Stopping the Redis (process ${redis?.pid}) that an earlier server left behind`);
  const deadline = Date.now() + 5_000;
  await askRedis(socket, 'SHUTDOWN NOSAVE', 5_000).catch(() => {}); // its exit cuts us off
  for (; isThere(); await sleep(50)) signal(redis?.pid, Date.now() < deadline ? 'SIGTERM' : 'SIGKILL');
  rmSync(socket, { force: true });
  try {
    rmdirSync(dirname(socket));
  } catch {} // gone with the machine's /tmp
  forgetRedis(dataDir);
}

/**
 * Sends one command and resolves with whatever comes back before the connection closes, which may be nothing
 * when that takes longer than `patience` milliseconds. Rejects when nobody listens or it is cut off.
 */
export function askRedis(socket: string, command: string, patience: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let answer = '';
  const connection = createConnection(socket, () => connection.write(`${command}\r\nQUIT\r\n`));
  connection.setEncoding('utf8').setTimeout(patience, () => connection.destroy());
  connection.on('data', (text: string) => {
    answer += text;
  });
  connection.on('error', reject);
  connection.on('close', () => resolve(answer));
  return promise;
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {} // it ended meanwhile
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, startTime: processStat(pid)?.startTime ?? null };
}

/** Whether this very process is still there. A zombie, which only waits to be counted, is not. */
export function isRunning({ pid, startTime }: ProcessIdentity): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false; // to kill(), those mean whole groups
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false; // EPERM: there, but somebody else's
  }
  const stat = processStat(pid);
  if (stat === undefined) return true;
  return stat.state !== 'Z' && (startTime === null || startTime === stat.startTime);
}

/** proc(5): the fields after the command's name, which may itself hold spaces and parentheses. */
function processStat(pid: number): { state: string; startTime: string } | undefined {
  const stat = readOrUndefined(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const boot = readOrUndefined('/proc/sys/kernel/random/boot_id')?.trim();
  return { state: fields[0] ?? '', startTime: `${boot}/${fields[19]}` };
}

function parsed<T>(text: string | undefined): T | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
