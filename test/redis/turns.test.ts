/** The log of turns in a real Redis: what is read is what is left of what was appended, in whatever entries it lies. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitFrames } from '../../src/chat/frames.ts';
import type { NewTurn, TurnPage, TurnRange } from '../../src/chat/turns.ts';
import { toText } from '../../src/redis/byte_text.ts';
import type { RedisSessions } from '../../src/redis/sessions.ts';
import type { RedisTurns } from '../../src/redis/turns.ts';
import type { SessionKey } from '../../src/sessions/session.ts';
import { toFrame } from '../chat/frame.ts';
import { newId } from '../harness.ts';
import { forAllAsync } from '../property.ts';
import { logOver, mutate, storeOver, useRedis } from '../redis_fixture.ts';
import { aCaller, aSession } from '../session_fixture.ts';

const redis = useRedis();
let store: RedisSessions;
let log: RedisTurns;
const ALL: TurnRange = { direction: 'FORWARD', afterSeq: 0, count: 10_000, bytes: 1e8 };

interface Turn {
  readonly seq: number;
  readonly at: number;
  readonly body: Uint8Array;
}

type Step = { readonly bodies: readonly Uint8Array[] } | { readonly place: number };

/** A session's log after some appends and removals, and what must be in it. */
async function aLog(steps: readonly Step[] = []) {
  const key = { namespace: 'default', sessionId: newId() };
  store ??= storeOver(redis.connection, redis.keys);
  log ??= logOver(redis.connection, redis.keys);
  await mutate(store, key, aCaller(), () => ({ write: aSession(key), answer: null }), 'absent');
  let turns: Turn[] = [];
  let lastSeq = 0;
  const one = {
    key,
    /** A seq between the first and the one after the last. */
    seqAt: (place: number) => Math.round(place * ((turns.at(-1)?.seq ?? 0) + 1)),
    get turns(): readonly Turn[] {
      return turns;
    },
    async append(bodies: readonly Uint8Array[]) {
      const { firstSeq, createTime } = await log.append(key, bodies.map(said), undefined, aCaller());
      expect(firstSeq).toBe(lastSeq + 1);
      turns.push(...bodies.map((body, index) => ({ seq: firstSeq + index, at: createTime, body })));
      lastSeq += bodies.length;
    },
    async remove(toSeq: number) {
      const left = turns.filter(({ seq }) => seq <= toSeq);
      const { removed, lastTurnSeq } = await log.remove(key, toSeq, 'REWOUND', aCaller());
      expect({ removed, lastTurnSeq }).toEqual({
        removed: turns.length - left.length,
        lastTurnSeq: left.at(-1)?.seq ?? 0,
      });
      turns = left;
    },
    /** The log of a session that is a copy through a seq. */
    async fork(throughSeq: number): Promise<SessionKey> {
      const target = { namespace: 'default', sessionId: newId() };
      const { state } = (await log.read(key, ALL))!;
      const copy = (await log.copy(key, target, state.epoch, throughSeq, aCaller()))!;
      const turns = { copy, lastSeq, summary: '', summarizedSeq: 0 };
      await mutate(
        store,
        target,
        aCaller(),
        () => ({ write: aSession(target), answer: null, turns }),
        'absent',
      );
      return target;
    },
    /** All pages of a range, that with the oldest turns first. */
    async pages(range: TurnRange): Promise<TurnPage[]> {
      const pages: TurnPage[] = [];
      for (let rest = range; ; ) {
        const page = (await log.read(key, rest))!;
        pages.push(page);
        if (!page.more) return range.direction === 'FORWARD' ? pages : pages.reverse();
        expect(page.lastSeq).toBeGreaterThan(0);
        rest =
          range.direction === 'FORWARD'
            ? { ...rest, afterSeq: page.lastSeq }
            : { ...rest, beforeSeq: page.lastSeq };
      }
    },
  };
  for (const step of steps)
    await ('bodies' in step ? one.append(step.bodies) : one.remove(one.seqAt(step.place)));
  return one;
}

function said(body: Uint8Array): NewTurn {
  return { role: 'USER', participantId: '', body };
}

/** As pages have them. */
function framesOf(turns: readonly Turn[]): Buffer {
  return Buffer.concat(turns.map(({ seq, at, body }) => toFrame(seq, at, body)));
}

function framesIn(pages: readonly TurnPage[]): Buffer {
  return Buffer.concat(pages.map(({ frames }) => frames));
}

const anyBody = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.integer({ min: 1000, max: 9000 }).map((size) => new Uint8Array(size).fill(0xe4)),
);
const anyAppend = fc.oneof(
  fc.array(anyBody, { minLength: 1, maxLength: 12 }),
  fc.integer({ min: 60, max: 140 }).map((size) => Array.from({ length: size }, (_, at) => Uint8Array.of(at))),
);
/** Where something is, between the beginning of the log and its end. */
const anyPlace = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000);
const anyStep = fc.oneof(
  { weight: 2, arbitrary: anyAppend.map((bodies) => ({ bodies })) },
  { weight: 1, arbitrary: anyPlace.map((place) => ({ place })) },
);
const anySteps = fc.array(anyStep, { minLength: 1, maxLength: 12 });
const anyRange = fc.record({
  direction: fc.constantFrom('FORWARD' as const, 'BACKWARD' as const),
  after: fc.option(anyPlace),
  before: fc.option(anyPlace),
  since: fc.option(anyPlace),
  until: fc.option(anyPlace),
  count: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 200 })),
  bytes: fc.constantFrom(1, 1000, 20_000, 1e8),
});

describe('a log', () => {
  it('is read by any bounds and pages, after any appends and removals', async () => {
    const anyRanges = fc.array(anyRange, { minLength: 6, maxLength: 6 });
    await forAllAsync(
      [anySteps, anyRanges],
      async (steps, ranges) => {
        const one = await aLog(steps);
        const { seqAt } = one;
        const timeAt = (place: number) => one.turns.find(({ seq }) => seq >= seqAt(place))?.at;
        for (const { after, before, since, until, direction, count, bytes } of ranges) {
          const afterSeq = after === null ? 0 : seqAt(after);
          const beforeSeq = before === null ? undefined : seqAt(before);
          const [from, to] = [since, until].map((place) => (place === null ? undefined : timeAt(place)));
          const inside = one.turns.filter(
            ({ seq, at }) =>
              seq > afterSeq && seq < (beforeSeq ?? Infinity) && at >= (from ?? 0) && at < (to ?? Infinity),
          );
          const range = { direction, afterSeq, beforeSeq, since: from, beforeTime: to, count, bytes };
          const pages = await one.pages(range);
          expect(framesIn(pages)).toEqual(framesOf(inside));
          for (const { frames } of pages) expect(splitFrames(frames).length).toBeLessThanOrEqual(count);
        }
      },
      100,
    );
  });

  it('is copied through any turn, and the copy is as good as the log', async () => {
    await forAllAsync(
      [anySteps, anyPlace, anyPlace],
      async (steps, where, place) => {
        const one = await aLog(steps);
        const through = Math.min(one.seqAt(where), one.turns.at(-1)?.seq ?? 0);
        const copied = one.turns.filter(({ seq }) => seq <= through);
        const copy = await one.fork(through);
        expect((await log.read(copy, ALL))!.frames).toEqual(framesOf(copied));
        const to = Math.round(place * through);
        await log.remove(copy, to, 'REWOUND', aCaller());
        const left = copied.filter(({ seq }) => seq <= to);
        const page = (await log.read(copy, ALL))!;
        expect(page.frames).toEqual(framesOf(left));
        expect(page.state.turnCount).toBe(left.length);
        expect((await log.read(one.key, ALL))!.frames).toEqual(framesOf(one.turns)); // it is a copy
      },
      60,
    );
  });

  it('is read past the rest of an entry, wherever a page ends', async () => {
    const one = await aLog();
    for (let turn = 1; turn <= 7; turn++) await one.append(bodies(1));
    await one.append(bodies(5));
    await one.remove(10);
    await one.append(bodies(5));
    await one.append(bodies(1));
    for (let count = 1; count <= 20; count++) {
      for (const direction of ['FORWARD', 'BACKWARD'] as const)
        expect(framesIn(await one.pages({ ...ALL, count, direction }))).toEqual(framesOf(one.turns));
    }
  });

  it('may have entries of an earlier version: a turn each, and whom it counts for', async () => {
    const one = await aLog();
    await one.append(bodies(5));
    const frames = toText(
      Buffer.concat(one.turns.map(({ body }) => Buffer.from([10, body.length, ...body]))),
    );
    const size = frames.length / 5;
    const turnsKey = redis.keys.turns(one.key);
    await redis.connection.call('UNLINK', turnsKey);
    for (const [index, { seq, at }] of one.turns.entries()) {
      const frame = frames.slice(index * size, (index + 1) * size);
      await redis.connection.call('XADD', turnsKey, `${seq}-${at}`, index % 2 ? 'ann' : '', frame);
    }
    await redis.connection.call('HSET', redis.keys.log(one.key), 'by', '{"ann":2}');
    await one.append(bodies(3));
    expect((await log.read(one.key, ALL))!.frames).toEqual(framesOf(one.turns));
    const copy = await log.copy(one.key, one.key, (await log.read(one.key, ALL))!.state.epoch, 7, aCaller());
    expect(copy).toMatchObject({ lastTurnSeq: 7, turnCount: 7, turnsBy: { ann: 2 } });
    await one.remove(7);
    await one.remove(3);
    expect(await redis.connection.call('HGET', redis.keys.log(one.key), 'by')).toBe('{"ann":1}');
    expect((await log.read(one.key, ALL))!.frames).toEqual(framesOf(one.turns));
  });
});

function bodies(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => Uint8Array.of(200 + index, index));
}
