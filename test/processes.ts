/** Parley and Redis as processes of their own, for tests that send signals. All of them end with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFailed, onTestFinished } from 'vitest';
import { findRedis, moduleArguments } from '../src/redis/binary.ts';
import { askRedis } from '../src/redis/data_lock.ts';
import { type Clients, connect } from './harness.ts';

export const MAIN = resolve(import.meta.dirname, '../src/main.ts');

/** An empty folder that goes with the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `node src/main.ts` in a folder of its own, with the settings given and none of this process's. */
export class ParleyProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | string>;
  stdout = '';
  stderr = '';
  /** Otherwise its log may not tell of any, or the test fails. */
  mayHaveDefects = false;

  constructor(settings: NodeJS.ProcessEnv, args: string[] = []) {
    const { PARLEY_REDIS_SERVER, PARLEY_REDIS_MODULES, PATH, HOME, XDG_CACHE_HOME } = process.env;
    const inherited = { PARLEY_REDIS_SERVER, PARLEY_REDIS_MODULES, PATH, HOME, XDG_CACHE_HOME };
    const env = { ...inherited, PARLEY_ADDRESS: '127.0.0.1:0', PARLEY_SHUTDOWN_GRACE: '2s', ...settings };
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    this.#child = spawn(process.execPath, [MAIN, ...args], { cwd: newFolder(), env, stdio: [...stdio] });
    this.#child.stdout!.setEncoding('utf8').on('data', (text) => {
      this.stdout += text;
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    this.#exit = once(this.#child, 'close').then(([code, signal]) => signal ?? code);
    onTestFailed(() => console.error(`what parley (${this.pid}) had to say:\n${this.stderr}`));
    onTestFinished(async () => {
      this.kill('SIGTERM');
      const force = setTimeout(() => this.kill('SIGKILL'), 10_000);
      await this.#exit;
      clearTimeout(force);
      if (!this.mayHaveDefects) expect(this.stderr).not.toContain('defect');
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code, or the signal it died of. */
  exit(): Promise<number | string> {
    return this.#exit;
  }

  /** Returns when it has heard the signal to stop, as its log says. */
  async stops(): Promise<void> {
    while (!this.stderr.includes('"msg":"stopping"')) await once(this.#child.stderr!, 'data');
  }

  async ready(): Promise<Clients> {
    const clients = connect(await this.address());
    onTestFinished(() => clients.close());
    return clients;
  }

  /** Waits for the ready line; throws with what was printed when the process ends without. */
  async address(): Promise<string> {
    for (;;) {
      const address = /^parley listening on (\S+)\n/m.exec(this.stdout)?.[1];
      if (address) return address;
      const ended = await Promise.race([this.#exit, once(this.#child.stdout!, 'data')]);
      if (!Array.isArray(ended)) throw new Error(`parley ended (${ended}):\n${this.stderr}`);
    }
  }
}

/** A Redis of the test's own, on a Unix socket and a folder that outlive its restarts. */
export class RedisProcess {
  readonly #folder = newFolder();
  readonly #modules: boolean;
  #child: ChildProcess | undefined;

  private constructor(modules: boolean) {
    this.#modules = modules;
    onTestFinished(() => this.kill());
  }

  static async start(more: string[] = [], { modules = true } = {}): Promise<RedisProcess> {
    const redis = new RedisProcess(modules);
    await redis.start(more);
    return redis;
  }

  /** Also what REDIS_URL takes. */
  get url(): string {
    return join(this.#folder, 'redis.sock');
  }

  async start(more: string[] = []): Promise<void> {
    const { PARLEY_REDIS_SERVER: server, PARLEY_REDIS_MODULES: modulesDir } = process.env;
    const binary = await findRedis({ server, modulesDir, announce: console.error });
    const listen = ['--port', '0', '--unixsocket', this.url, '--dir', this.#folder];
    const disk = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const modules = this.#modules ? moduleArguments(binary.modulesDir) : [];
    this.#child = spawn(binary.server, [...listen, ...disk, ...modules, ...more], { stdio: 'ignore' });
    // Redis tells nobody when it is ready but those who ask.
    while (!(await askRedis(this.url, 'PING', 1000).catch(() => ''))?.startsWith('+PONG')) await sleep(10);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Stops it in its tracks: connections stay, answers do not come. */
  pause(): void {
    this.#child!.kill('SIGSTOP');
  }

  resume(): void {
    this.#child!.kill('SIGCONT');
  }
}

/** The run's Redis, for processes that share it. */
export function sharedRedis(): NodeJS.ProcessEnv {
  return { REDIS_URL: inject('redisUrl') };
}
