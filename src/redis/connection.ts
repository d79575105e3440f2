/**
 * Our side of a Redis connection: commands fail fast instead of waiting, none is
 * sent twice, and what fails is one of our errors.
 */
import { EventEmitter } from 'node:events';
import { Command, Redis, type RedisOptions } from 'ioredis';
import './fast_strings.ts';
import { ParleyError } from '../errors.ts';
import type { Milliseconds } from '../sessions/session.ts';
import { GatheredWrites } from './gathered_writes.ts';
import { ScriptCall, TEXT } from './script_call.ts';
import type { Script } from './scripts.ts';
import { TimeLimit } from './time_limit.ts';

/** A caller is told UNAVAILABLE within a second. */
const COMMAND_TIMEOUT: Milliseconds = 800;
const RETRY_AFTER: Milliseconds = 1000;
const PROBE_INTERVAL: Milliseconds = 500;

/** A connection that is asked something and silent for so long is given up: its other end may be gone without a word. */
const SOCKET_TIMEOUT: Milliseconds = 3000;

type Argument = string | number | Buffer;

/** Emits `up` when Redis answers (again) and `down` when it no longer does. */
export class Connection extends EventEmitter<{ up: []; down: [] }> {
  readonly #redis: Redis;
  readonly #probe: NodeJS.Timeout;
  readonly #limit = new TimeLimit(COMMAND_TIMEOUT);
  /** Undefined before there is a connection. */
  #writes: GatheredWrites | undefined;
  /** Scripts that somebody is bringing along. */
  readonly #loading = new Map<string, Promise<unknown>>();
  #up = false;
  #lastError: Error | undefined;

  /** `url`: redis://, rediss://, or the path of a Unix socket. */
  constructor(url: string) {
    super();
    this.#redis = new Redis(url, OPTIONS);
    this.#redis.on('error', (error) => {
      this.#lastError = error; // every command says so itself
    });
    this.#redis.on('connect', () => {
      const { stream } = this.#redis;
      stream.on('data', () => this.#limit.heard());
      this.#writes = new GatheredWrites(stream);
    });
    this.#redis.on('ready', () => this.#report(true));
    this.#redis.on('close', () => this.#report(false));
    // A server that hangs keeps its connections; only asking finds out.
    this.#probe = setInterval(() => void this.#ask(), PROBE_INTERVAL);
    this.#probe.unref();
  }

  get isUp(): boolean {
    return this.#up;
  }

  /** What the last attempt to connect failed by, for the log. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Runs a command; arguments are never part of a command line, so they need no escaping. */
  async call(command: string, ...args: Argument[]): Promise<unknown> {
    try {
      return await this.#send(new Command(command, args, TEXT));
    } catch (error) {
      throw translated(error);
    }
  }

  /**
   * Runs a script, sending its text only to a Redis that does not know it, and once: the first of a burst of calls
   * brings it along, the others wait for that. `when`: with what else this turn of the event loop sends, or before it
   * goes on, for what somebody waits for.
   */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
    when: 'soon' | 'now' = 'soon',
  ): Promise<unknown> {
    const call = areTexts(args)
      ? new ScriptCall(script, keys, args)
      : new Command('EVALSHA', [script.sha, keys.length, ...keys, ...args], TEXT);
    return this.#send(call, when).catch((error) => {
      if (!String((error as Error).message).startsWith('NOSCRIPT')) throw translated(error);
      return this.#bring(script, keys, args);
    });
  }

  /** Runs a script that Redis does not know. */
  async #bring(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const loading = this.#loading.get(script.sha);
    if (loading) {
      await loading;
      return this.run(script, keys, args);
    }
    const run = this.call('EVAL', script.lua, keys.length, ...keys, ...args);
    const loaded = run.then(
      () => this.#loading.delete(script.sha),
      () => this.#loading.delete(script.sha),
    );
    this.#loading.set(script.sha, loaded);
    return run;
  }

  /** A connection of its own for subscriptions, which take no other commands. At 'ready' its owner subscribes. */
  subscriber(): Redis {
    const subscriber = this.#redis.duplicate({
      enableOfflineQueue: true,
      commandTimeout: COMMAND_TIMEOUT,
      // ioredis would subscribe again without waiting for the answer: a connection cut off before it comes again would
      // end the process by an unhandled rejection.
      autoResubscribe: false,
    });
    subscriber.on('error', () => {});
    // It only ever listens, and would never hear that the other side is gone.
    const probe = setInterval(() => subscriber.ping().catch(() => {}), SOCKET_TIMEOUT);
    probe.unref();
    subscriber.once('end', () => clearInterval(probe));
    return subscriber;
  }

  close(): void {
    clearInterval(this.#probe);
    this.#limit.close();
    this.removeAllListeners();
    this.#writes?.release();
    this.#redis.disconnect();
  }

  /** Nothing is sent to a Redis that is known not to answer. */
  #send(command: Command, when: 'soon' | 'now' = 'soon'): Promise<unknown> {
    return this.#up ? this.#write(command, when) : Promise.reject(new Error('Redis is away'));
  }

  /**
   * Past ioredis's auto-pipelining, which holds commands back until all those before are answered: so Redis and we
   * would wait for each other by turns. Here what one turn of the event loop sends leaves in one packet, at its end;
   * at once when nothing is under way, since then nothing else is likely to come.
   */
  #write(command: Command, when: 'soon' | 'now'): Promise<unknown> {
    if (when === 'soon') this.#gather();
    this.#redis.sendCommand(command);
    if (when === 'now') this.#writes?.release();
    this.#limit.set(command);
    return command.promise;
  }

  #gather(): void {
    const writes = this.#writes;
    if (!writes || writes.isGathering) return;
    writes.gather();
    if (this.#limit.isIdle) process.nextTick(release, writes);
    else setImmediate(release, writes);
  }

  async #ask(): Promise<void> {
    try {
      await this.#write(new Command('PING', [], TEXT), 'soon');
      this.#report(true);
    } catch {
      this.#report(false);
    }
  }

  #report(up: boolean): void {
    if (up === this.#up) return;
    this.#up = up;
    this.emit(up ? 'up' : 'down');
  }
}

function release(writes: GatheredWrites): void {
  writes.release();
}

function areTexts(args: readonly Argument[]): args is readonly (string | number)[] {
  return args.every((arg) => typeof arg !== 'object');
}

const OPTIONS = {
  protocol: 2, // RESP3 changes the shape of FT.* and JSON.* replies
  // A command that was cut off may have run: whoever sent it decides, by request id, whether to repeat it.
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: 2 * COMMAND_TIMEOUT,
  socketTimeout: SOCKET_TIMEOUT,
  retryStrategy: (attempt: number) => Math.min(50 * attempt, 500),
} satisfies RedisOptions;

/** Replies of a Redis that is there but cannot serve now. */
const UNAVAILABLE = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|BUSY|NOREPLICAS|UNBLOCKED)\b/;

/** Redis's own words stay in `cause`. */
function translated(cause: unknown): Error {
  const error = cause as Error;
  if (error.name === 'ReplyError' && /^OOM\b/.test(error.message)) {
    return new ParleyError('STORAGE_FULL', 'the storage is full', { cause });
  }
  if (error.name === 'ReplyError' && !UNAVAILABLE.test(error.message)) return error;
  return new ParleyError('STORAGE_UNAVAILABLE', 'the storage does not answer', {
    retryAfterMs: RETRY_AFTER,
    cause,
  });
}
