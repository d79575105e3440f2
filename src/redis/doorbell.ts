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
import type { SessionKey } from '../sessions/session.ts';
import type { Doorbell } from '../sessions/store.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';

export class RedisDoorbell implements Doorbell {
  readonly #keys: Keys;
  readonly #connection: Connection;
  /** Made for the first listener: most processes at rest have none. */
  #subscriber: Redis | undefined;
  readonly #listeners = new Map<string, Set<(news: string) => void>>();

  constructor(connection: Connection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  listen(key: SessionKey, ring: (news: string) => void): Promise<() => void> {
    return this.listenTo(this.#keys.live(key), ring);
  }

  /** Any channel; empty news ask to look. */
  async listenTo(channel: string, ring: (news: string) => void): Promise<() => void> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    listeners.add(ring);
    this.#listeners.set(channel, listeners);
    const hangUp = () => {
      listeners.delete(ring);
      if (listeners.size > 0 || this.#listeners.get(channel) !== listeners) return;
      this.#listeners.delete(channel);
      this.#subscriber?.sunsubscribe(channel).catch(() => {}); // a connection that is gone forgets by itself
    };
    try {
      await this.#open().ssubscribe(channel);
      return hangUp;
    } catch {
      // Not connected: the reconnect subscribes again and rings, and until then whoever listens looks in vain.
      return hangUp;
    }
  }

  close(): void {
    this.#subscriber?.disconnect();
    this.#listeners.clear();
  }

  #open(): Redis {
    if (this.#subscriber) return this.#subscriber;
    const subscriber = this.#connection.subscriber();
    subscriber.on('smessage', (channel: string, news: string) => this.#ring(channel, news));
    subscriber.on('ready', () => void this.#subscribeAgain(subscriber));
    this.#subscriber = subscriber;
    return subscriber;
  }

  /** Whatever ioredis remembers of our subscriptions, these are the ones that count. */
  async #subscribeAgain(subscriber: Redis): Promise<void> {
    const channels = [...this.#listeners.keys()];
    try {
      await Promise.all(channels.map((channel) => subscriber.ssubscribe(channel)));
    } catch {
      return; // cut off again; the next 'ready' tries again
    }
    for (const channel of channels) this.#ring(channel, '');
  }

  #ring(channel: string, news: string): void {
    for (const ring of this.#listeners.get(channel) ?? []) ring(news);
  }
}
