/** A look into the Redis that Parley started for itself: found as its child, asked over its Unix socket. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { FsyncPolicy } from './fsync.ts';
import { childrenOf, commandLine } from './processes.ts';

export class PrivateRedis implements AsyncDisposable {
  readonly pid: number;
  readonly #redis: Redis;

  /** Throws when the process has no child that is a Redis on a Unix socket. */
  static of(serverPid: number): PrivateRedis {
    for (const pid of childrenOf(serverPid)) {
      const socket = /redis.*unixsocket[:\s]+(\S+)/.exec(commandLine(pid))?.[1];
      if (socket) return new PrivateRedis(pid, socket);
    }
    throw new Error(`process ${serverPid} has no Redis on a Unix socket among its children`);
  }

  private constructor(pid: number, socket: string) {
    this.pid = pid;
    this.#redis = new Redis({ path: socket, lazyConnect: true });
  }

  /** Everything Redis has allocated: documents, index, keys, buffers. */
  async usedBytes(): Promise<number> {
    return this.#number('memory', 'used_memory');
  }

  /** Waits until Redis is not rewriting its append-only file, which takes a core for as long as it lasts. */
  async settled(): Promise<void> {
    const busy = ['aof_rewrite_in_progress', 'aof_rewrite_scheduled', 'rdb_bgsave_in_progress'];
    for (;;) {
      const states = await Promise.all(busy.map((field) => this.#number('persistence', field)));
      if (states.every((state) => state === 0)) return;
      await sleep(500);
    }
  }

  /** Has writes put to disk before each answer, which is how Parley starts its Redis, or once a second. */
  async appendFsync(policy: FsyncPolicy): Promise<void> {
    await this.#redis.config('SET', 'appendfsync', policy);
  }

  async #number(section: string, field: string): Promise<number> {
    const value = new RegExp(`^${field}:(\\d+)`, 'm').exec(await this.#redis.info(section))?.[1];
    if (value === undefined) throw new Error(`Redis does not tell its ${field}`);
    return Number(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect();
  }
}
