import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Newest } from '../../src/chat/newest.ts';
import { forAll } from '../property.ts';

const items = (...seqs: number[]) => seqs.map((seq) => ({ seq, bytes: 10 }));
const seqsAfter = (newest: Newest<{ seq: number; bytes: number }>, seq: number) =>
  newest.after(seq).map((item) => item.seq);

describe('the newest items', () => {
  it('are told to who stands before, between or behind them', () => {
    const newest = new Newest({ items: 10, bytes: 1000 });
    newest.add(4, items(5, 6, 8));
    expect(seqsAfter(newest, 4)).toEqual([5, 6, 8]);
    expect(seqsAfter(newest, 6)).toEqual([8]);
    expect(seqsAfter(newest, 8)).toEqual([]);
  });

  it('are nothing to who is further back, or where there is no item', () => {
    const newest = new Newest({ items: 10, bytes: 1000 });
    newest.add(4, items(5, 6, 8));
    for (const seq of [0, 3, 7, 9]) expect(seqsAfter(newest, seq)).toEqual([]);
  });

  it('are as many as there is room for', () => {
    const few = new Newest({ items: 2, bytes: 1000 });
    few.add(0, items(1, 2, 3));
    expect([seqsAfter(few, 0), seqsAfter(few, 1)]).toEqual([[], [2, 3]]);
    const small = new Newest({ items: 100, bytes: 25 });
    for (const seq of [1, 2, 3]) small.add(seq - 1, items(seq));
    expect([seqsAfter(small, 0), seqsAfter(small, 1)]).toEqual([[], [2, 3]]);
  });

  it('are none when one alone is too large', () => {
    const newest = new Newest({ items: 10, bytes: 5 });
    newest.add(0, items(1));
    expect(seqsAfter(newest, 0)).toEqual([]);
    newest.add(1, [{ seq: 2, bytes: 5 }]);
    expect(seqsAfter(newest, 1)).toEqual([2]);
  });

  it('begin anew behind a gap, and where they are told to', () => {
    const newest = new Newest({ items: 10, bytes: 1000 });
    newest.add(0, items(1, 2));
    newest.add(5, items(6));
    expect([seqsAfter(newest, 0), seqsAfter(newest, 5)]).toEqual([[], [6]]);
    newest.forget(9);
    expect(seqsAfter(newest, 5)).toEqual([]);
    newest.add(9, items(10));
    expect(seqsAfter(newest, 9)).toEqual([10]);
  });

  it('are never told with a gap, whatever comes', () => {
    const step = fc.record({ skip: fc.nat(1), count: fc.nat(5), bytes: fc.nat(40) });
    forAll([fc.array(step), fc.integer({ min: 1, max: 6 }), fc.nat(100)], (steps, most, bytes) => {
      const newest = new Newest<{ seq: number; bytes: number }>({ items: most, bytes });
      let last = 0;
      for (const { skip, count, bytes } of steps) {
        last += skip;
        const added = Array.from({ length: count }, (_, at) => ({ seq: last + 1 + at, bytes }));
        newest.add(last, added);
        last += count;
        for (let seq = 0; seq <= last; seq++) {
          const told = seqsAfter(newest, seq);
          if (told.length > 0)
            expect(told).toEqual(Array.from({ length: last - seq }, (_, at) => seq + 1 + at));
          expect(told.length).toBeLessThanOrEqual(most);
        }
      }
    });
  });
});
