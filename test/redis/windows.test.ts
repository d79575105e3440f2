import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { windows } from '../../src/redis/windows.ts';
import { forAllAsync } from '../property.ts';

type Direction = 'asc' | 'desc';

/** A window is full at so many hits. */
const FULL = 60;
/** Now, in µs. */
const NOW = 1_790_000_000_000_000;

/** Walks over these times, and tells what came and what it took. */
async function walk(
  times: readonly number[],
  direction: Direction,
  from: number,
  to: number,
  first?: number,
) {
  let searches = 0;
  const search = async (low: number, high: number, all: boolean) => {
    searches++;
    expect(low).toBeGreaterThanOrEqual(from);
    expect(high).toBeLessThanOrEqual(to);
    const found = times.filter((time) => time >= low && time <= high);
    // An index gives whichever it comes upon first, in no order.
    const hits = all ? found : found.slice(0, FULL);
    return {
      hits: [...hits].sort((a, b) => (direction === 'asc' ? a - b : b - a)),
      full: !all && found.length >= FULL,
    };
  };
  const hits: number[] = [];
  for await (const run of windows(direction, from, to, search, first)) {
    expect(run.length).toBeGreaterThan(0);
    hits.push(...run);
  }
  return { hits, searches };
}

function inOrder(times: readonly number[], direction: Direction): number[] {
  return times.toSorted((a, b) => (direction === 'asc' ? a - b : b - a));
}

/**
 * What a walk may cost: growing from a second to all of time takes 12 windows, halving all of time 51, and
 * closing in on where it overflowed 51 again, which only ever happens where a full window's worth of hits is.
 */
function bound(hits: number): number {
  return 12 + (51 + 51) * Math.ceil(hits / FULL) + Math.ceil(hits / 50);
}

/** Some hundreds of times in clusters, from all in one instant to years apart. */
const clusters = fc
  .array(
    fc.record({
      start: fc.integer({ min: 0, max: NOW }),
      spread: fc.constantFrom(0, 1, 1_000, 1_000_000, 3_600_000_000, NOW),
      count: fc.constantFrom(1, 2, 49, FULL - 1, FULL, FULL + 1, 3 * FULL),
    }),
    { maxLength: 5 },
  )
  .map((parts) =>
    parts.flatMap(({ start, spread, count }) =>
      Array.from({ length: count }, (_, at) => Math.min(NOW, start + Math.floor((spread / count) * at))),
    ),
  );

const direction = fc.constantFrom<Direction>('asc', 'desc');

describe('a walk through windows of time', () => {
  it('yields every hit once and in order, however they cluster, at a bounded cost', async () => {
    await forAllAsync(
      [clusters, direction],
      async (times, way) => {
        const { hits, searches } = await walk(times, way, 0, NOW);
        expect(hits).toEqual(inOrder(times, way));
        expect(searches).toBeLessThanOrEqual(bound(times.length));
      },
      300,
    );
  });

  it('holds to both of its bounds, which belong to it', async () => {
    await forAllAsync(
      [fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 200 }), fc.nat(40), fc.nat(40), direction],
      async (times, a, b, way) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const { hits } = await walk(times, way, from, to, 1);
        const inside = times.filter((time) => time >= from && time <= to);
        expect(hits).toEqual(inOrder(inside, way));
      },
      300,
    );
  });

  it.each<Direction>(['asc', 'desc'])(
    'takes all of an instant that holds more than a window may (%s)',
    async (way) => {
      const times = [...Array(10 * FULL).fill(NOW / 2), NOW / 2 - 1, NOW / 2 + 1];
      const { hits, searches } = await walk(times, way, 0, NOW);
      expect(hits).toEqual(inOrder(times, way));
      expect(searches).toBeLessThanOrEqual(12 + 51 + 51 + 2);
    },
  );

  it.each<Direction>(['asc', 'desc'])(
    'needs a dozen searches to find that there is nothing (%s)',
    async (way) => {
      expect(await walk([], way, 0, NOW)).toEqual({ hits: [], searches: 12 });
    },
  );

  it('looks once when told to begin with everything', async () => {
    expect(await walk([], 'desc', NOW, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).toMatchObject({
      searches: 1,
    });
  });

  it('finds the newest in one search when they are recent', async () => {
    const times = Array.from({ length: 50 }, (_, at) => NOW - at * 1_000);
    const run = await windows('desc', 0, NOW, async (low, high) => ({
      hits: times.filter((time) => time >= low && time <= high),
      full: false,
    })).next();
    expect(run.value).toEqual(times);
  });

  it('makes no step when the bounds are the wrong way round', async () => {
    expect(await walk([1, 2], 'asc', 2, 1)).toEqual({ hits: [], searches: 0 });
  });
});
