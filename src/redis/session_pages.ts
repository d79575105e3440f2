/**
 * Pages of a filtered list, newest (or oldest) first.
 *
 * Redis sorts all matches to give the first fifty: its cost follows the matches
 * and not the page. So we ask for windows of time instead, walking away from
 * where the page begins: small at first, wider while they come back empty,
 * narrower when they overflow. Rare matches would make that a long walk, so a
 * probe comes first: an unsorted query that stops after a few, and when it comes
 * back short, those few are all there are.
 *
 * Ties of the time go by session id, and a hit counts only when the session
 * itself, read and held against the filter, belongs to the answer.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { matches, positionOf } from '../sessions/query.ts';
import type { ActiveSession, SessionKey } from '../sessions/session.ts';
import type { SessionOrder, SessionPosition, SessionQuery } from '../sessions/store.ts';
import type { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import type { Base } from './mutations.ts';
import { FOREVER, SessionQueries } from './om.ts';
import { queryTokens } from './session_tokens.ts';
import { windows } from './windows.ts';

/** What a probe asks for: so few matches are sorted here. */
const PROBE = 64;
/** A window with so many hits is too wide. */
const FULL = 250;
/** The most hits a search returns. */
const ALL = 1_000_000;
/** Longer than a command may take, so that Redis never answers with what it happened to find by then. */
const SEARCH_TIMEOUT_MS = 1000;
/** Sessions read and held against the filter at a time. */
const BATCH = 100;
/** How long sessions are held against the filter before other calls are looked at. */
const LONGEST_TURN_MS = 10;

type ReadMany = (keys: readonly SessionKey[]) => Promise<Base[]>;

export class SessionPages {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #queries: SessionQueries;
  readonly #readMany: ReadMany;

  constructor(redis: Connection, keys: Keys, readMany: ReadMany) {
    this.#redis = redis;
    this.#keys = keys;
    this.#queries = new SessionQueries(keys);
    this.#readMany = readMany;
  }

  /** Every session of the answer, in order; reads ahead by no more than the query expects to need. */
  async *find(query: SessionQuery, signal: AbortSignal): AsyncGenerator<ActiveSession> {
    let size = Math.min(query.expected, BATCH);
    let turn = performance.now();
    for await (const hits of this.#hits(query, signal)) {
      for (let at = 0; at < hits.length; at += size, size = BATCH) {
        const batch = hits.slice(at, at + size);
        const read = await this.#readMany(
          batch.map(({ sessionId }) => ({ namespace: query.namespace, sessionId })),
        );
        signal.throwIfAborted();
        for (const [index, { session, activity }] of read.entries()) {
          // A large filter against large sessions takes a while; others are to have their turn.
          if (performance.now() - turn > LONGEST_TURN_MS) {
            await nextTurn();
            signal.throwIfAborted();
            turn = performance.now();
          }
          if (!session || !matches(session, query)) continue;
          // One that was touched since it was found stands elsewhere now.
          if (positionOf(session, query.order).time === batch[index]!.time) {
            yield { session, activity };
          }
        }
      }
    }
  }

  /** Runs of hits, each of them and all together in order. */
  async *#hits(query: SessionQuery, signal: AbortSignal): AsyncGenerator<SessionPosition[]> {
    const { order, after } = query;
    const tokens = queryTokens(query);
    const look = async (from: number, to: number, limit: number) => {
      signal.throwIfAborted();
      const { hits, full } = await this.#search(tokens, order.by, from, to, limit);
      return { hits: inOrder(hits, order, after), full };
    };
    const inWindow = (from: number, to: number, all: boolean) => look(from, to, all ? ALL : FULL);
    const [from, to] = order.direction === 'desc' ? [0, after?.time ?? FOREVER] : [after?.time ?? 0, FOREVER];
    const probe = await look(from, to, PROBE);
    if (!probe.full) {
      yield probe.hits;
      return;
    }
    const now = Date.now() * 1000;
    // Sessions of a server whose clock is ahead; mostly none, which one look tells.
    if (to > now && order.direction === 'desc') yield* windows('desc', now + 1, to, inWindow, FOREVER);
    yield* windows(order.direction, from, order.direction === 'desc' ? Math.min(to, now) : to, inWindow);
  }

  async #search(tokens: string[], by: SessionOrder['by'], from: number, to: number, limit: number) {
    const text = this.#queries.text(tokens, by, from, to);
    const options = [
      'RETURN',
      1,
      by,
      'LIMIT',
      0,
      limit,
      'WITHOUTCOUNT',
      'TIMEOUT',
      SEARCH_TIMEOUT_MS,
      'DIALECT',
      2,
    ];
    const reply = (await this.#redis.call(
      'FT.SEARCH',
      this.#keys.sessionIndex,
      text,
      ...options,
    )) as unknown[];
    const hits: SessionPosition[] = [];
    for (let at = 1; at < reply.length; at += 2) {
      const fields = reply[at + 1] as string[] | null;
      // A document that expired, and that Redis has not yet swept up, has no fields.
      if (fields?.[1] === undefined) continue;
      hits.push({ time: Number(fields[1]), sessionId: this.#keys.sessionOf(reply[at] as string).sessionId });
    }
    return { hits, full: (reply.length - 1) / 2 === limit };
  }
}

/** Sorted, and without what the last page held already. */
function inOrder(hits: SessionPosition[], { direction }: SessionOrder, after: SessionPosition | undefined) {
  const sign = direction === 'asc' ? 1 : -1;
  const compare = (a: SessionPosition, b: SessionPosition) =>
    sign * (a.time - b.time || (a.sessionId < b.sessionId ? -1 : a.sessionId > b.sessionId ? 1 : 0));
  return hits.filter((hit) => !after || compare(hit, after) > 0).sort(compare);
}
