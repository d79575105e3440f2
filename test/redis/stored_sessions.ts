/** Sessions in Redis, and a mutation to tell how often it happened. */
import type { RedisSessions } from '../../src/redis/sessions.ts';
import { changed } from '../../src/sessions/changes.ts';
import type { Session, SessionKey } from '../../src/sessions/session.ts';
import type { Decision } from '../../src/sessions/store.ts';
import { mutate, type RedisFixture, storeOver } from '../redis_fixture.ts';
import { aCaller, aSession } from '../session_fixture.ts';

/** As two server processes have them. */
export async function twoStores({
  connection,
  connect,
  keys,
}: RedisFixture): Promise<[RedisSessions, RedisSessions]> {
  return [storeOver(connection, keys), storeOver(await connect(), keys)];
}

export async function storedIn(store: RedisSessions, fields: Partial<Session> = {}): Promise<Session> {
  const session = aSession(fields);
  return mutate(store, session, aCaller(), () => ({ write: session, answer: session }), 'absent');
}

export function increment(session: Session | undefined): Decision<number> {
  const tokenBudget = session!.tokenBudget + 1;
  return { answer: tokenBudget, write: changed(session!, { tokenBudget }) };
}

export function oneTo(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

export async function incrementsOf(
  key: SessionKey,
  stores: RedisSessions[],
  each: number,
): Promise<number[]> {
  const runs = stores.flatMap((store) => oneTo(each).map(() => mutate(store, key, aCaller(), increment)));
  return (await Promise.all(runs)).toSorted((a, b) => a - b);
}
