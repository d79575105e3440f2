/**
 * Who wants to know when a session changes.
 *
 * One subscriber connection serves the whole process, on sharded channels, so
 * that a cluster rings on the session's own shard. Whoever hears a ring looks
 * for himself, and so a ring too many is harmless; only that of turns brings
 * them along, for those who miss none before. After every reconnect all bells
 * ring, for what was missed meanwhile.
 */
import type { Redis } from 'ioredis';
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import type { Doorbell } from '../sessions/store.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';

const AGAIN: Milliseconds = 500;

interface Channel {
  readonly listeners: Set<(news: string) => void>;
  /** Once for all who listen; undefined when it is to be tried again. */
  subscribed: Promise<unknown> | undefined;
}

export class RedisDoorbell implements Doorbell {
  readonly #keys: Keys;
  readonly #connection: Connection;
  /** Made for the first listener: most processes at rest have none. */
  #subscriber: Redis | undefined;
  readonly #channels = new Map<string, Channel>();

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  listen(key: SessionKey, ring: (news: string) => void): Promise<() => void> {
    return this.listenTo(this.#keys.live(key), ring);
  }

  /** Any channel; empty news ask to look. */
  async listenTo(channel: string, ring: (news: string) => void): Promise<() => void> {
    const one = this.#channels.get(channel) ?? { listeners: new Set(), subscribed: undefined };
    one.listeners.add(ring);
    this.#channels.set(channel, one);
    const hangUp = () => {
      one.listeners.delete(ring);
      if (one.listeners.size > 0 || this.#channels.get(channel) !== one) return;
      this.#channels.delete(channel);
      this.#subscriber?.sunsubscribe(channel).catch(() => {}); // a connection that is gone forgets by itself
    };
    await this.#subscribed(channel, one);
    return hangUp;
  }

  /** Whether it is subscribed; if not, whoever listens looks in vain until it is, and then it rings. */
  async #subscribed(channel: string, one: Channel): Promise<boolean> {
    one.subscribed ??= this.#open().ssubscribe(channel);
    try {
      await one.subscribed;
      return true;
    } catch {
      one.subscribed = undefined;
      setTimeout(() => void this.#subscribeLate(channel), AGAIN).unref();
      return false;
    }
  }

  /** For a connection that was slow; one that is gone subscribes to all when it is there again. */
  async #subscribeLate(channel: string): Promise<void> {
    const one = this.#channels.get(channel);
    if (!one || one.subscribed || this.#subscriber?.status !== 'ready') return;
    if (await this.#subscribed(channel, one)) this.#ring(channel, '');
  }

  close(): void {
    this.#subscriber?.disconnect();
    this.#channels.clear();
  }

  #open(): Redis {
    if (this.#subscriber) return this.#subscriber;
    const subscriber = this.#connection.subscriber();
    subscriber.on('smessage', (channel: string, news: string) => this.#ring(channel, news));
    subscriber.on('ready', () => void this.#subscribeAgain(subscriber));
    this.#subscriber = subscriber;
    return subscriber;
  }

  /** A new connection is subscribed to nothing. */
  async #subscribeAgain(subscriber: Redis): Promise<void> {
    const channels = [...this.#channels.keys()];
    try {
      await Promise.all(channels.map((channel) => subscriber.ssubscribe(channel)));
    } catch {
      return; // cut off again; the next 'ready' tries again
    }
    for (const channel of channels) this.#ring(channel, '');
  }

  #ring(channel: string, news: string): void {
    for (const ring of this.#channels.get(channel)?.listeners ?? []) ring(news);
  }
}
