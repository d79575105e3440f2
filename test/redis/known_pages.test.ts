/** Pages of turns that a process knows already: Redis only says that they are still the same. */
import { expect, it } from 'vitest';
import { splitFrames } from '../../src/chat/frames.ts';
import type { TurnRange } from '../../src/chat/turns.ts';
import { newId } from '../harness.ts';
import { logOver, mutate, storeOver, useRedis } from '../redis_fixture.ts';
import { aCaller, aSession } from '../session_fixture.ts';

const redis = useRedis();
const NEWEST: TurnRange = { direction: 'BACKWARD', afterSeq: 0, count: 2, bytes: 1000 };

async function aLog() {
  const key = { namespace: 'default', sessionId: newId() };
  const session = aSession(key);
  await mutate(
    storeOver(redis.connection, redis.keys),
    key,
    aCaller(),
    () => ({ write: session, answer: null }),
    'absent',
  );
  const [here, elsewhere] = [redis.connection, await redis.connect()].map((one) => logOver(one, redis.keys));
  const append = (log = here!) =>
    log.append(key, [{ role: 'USER', participantId: '', body: new Uint8Array() }], undefined, aCaller());
  const newest = async () => splitFrames((await here!.read(key, NEWEST))!.frames).map(({ seq }) => seq);
  return { key, here: here!, elsewhere: elsewhere!, append, newest };
}

it('are told again while nothing happens, and not when another process appended or removed', async () => {
  const { key, elsewhere, append, newest } = await aLog();
  await append();
  await append();
  expect(await newest()).toEqual([1, 2]);
  expect(await newest()).toEqual([1, 2]);
  await append(elsewhere);
  expect(await newest()).toEqual([2, 3]);
  await elsewhere.remove(key, 2, 'REWOUND', aCaller());
  expect(await newest()).toEqual([1, 2]);
  await append(elsewhere);
  expect(await newest()).toEqual([2, 4]);
});

it('are not those of another session that had the id', async () => {
  const { key, append, newest } = await aLog();
  await append();
  expect(await newest()).toEqual([1]);
  const store = storeOver(redis.connection, redis.keys);
  await mutate(store, key, aCaller(), () => ({ write: null, answer: null }));
  await mutate(store, key, aCaller(), () => ({ write: aSession(key), answer: null }), 'absent');
  expect(await newest()).toEqual([]);
});
