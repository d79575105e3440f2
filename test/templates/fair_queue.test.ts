import { describe, expect, test } from 'vitest';
import { FairQueue } from '../../src/templates/fair_queue.ts';

interface Item {
  readonly namespace: string;
  readonly number: number;
}

const queue = () => new FairQueue<Item>();

/** As many items as there are names, each with the number of its place. */
function items(names: string): Item[] {
  return [...names].map((namespace, at) => ({ namespace, number: at + 1 }));
}

/** Takes out all there are: `b2 a1` */
function rest(waiting: FairQueue<Item>): string {
  const taken: string[] = [];
  while (!waiting.isEmpty) {
    const { namespace, number } = waiting.next()!;
    taken.push(namespace + number);
  }
  return taken.join(' ');
}

describe('who waits is served', () => {
  test.each([
    ['', ''],
    ['aaa', 'a1 a2 a3'],
    ['aaab', 'a1 b4 a2 a3'],
    ['aabbc', 'a1 b3 c5 a2 b4'],
    ['abaaca', 'a1 b2 c5 a3 a4 a6'],
  ])('each namespace in turn, within it in order: %s', (names, order) => {
    const waiting = queue();
    for (const item of items(names)) waiting.add(item);
    expect(rest(waiting)).toBe(order);
  });

  test('before more of the one that is being served, though that came first', () => {
    const waiting = queue();
    const [first, second, third, other] = items('aaab') as [Item, Item, Item, Item];
    waiting.add(first);
    expect(waiting.next()).toBe(first);
    for (const item of [second, third, other]) waiting.add(item);
    expect(rest(waiting)).toBe('b4 a2 a3');
  });
});

test('who waits no longer is not served, and may say so twice', () => {
  const waiting = queue();
  const all = items('aabb');
  for (const item of all) waiting.add(item);
  for (const item of [all[0]!, all[0]!, all[3]!]) waiting.delete(item);
  expect(rest(waiting)).toBe('a2 b3');
  waiting.add(all[0]!);
  waiting.delete(all[0]!);
  expect([waiting.isEmpty, waiting.next()]).toEqual([true, undefined]);
});
