import { describe, expect, it } from 'vitest';
import type { Delta } from '../../src/chat/answer.ts';
import { Outbox } from '../../src/chat/outbox.ts';

const text = (said: string): Delta => ({ kind: 'text', text: said });
const thought = (said: string): Delta => ({ kind: 'reasoning', text: said });
const call = (index: number, said: string, id = ''): Delta => ({
  kind: 'toolCall',
  index,
  id,
  name: id && 'look',
  arguments: said,
});

/** What is written, and who lets a write go through. */
function slowWriter() {
  const written: (readonly Delta[])[] = [];
  const writes: PromiseWithResolvers<void>[] = [];
  const write = (deltas: readonly Delta[]) => {
    written.push(deltas);
    writes.push(Promise.withResolvers());
    return writes.at(-1)!.promise;
  };
  const until = async (count: number) => {
    while (written.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { written, writes, write, until };
}

/** Writes at once. */
function writer() {
  const written: Delta[] = [];
  const write = async (deltas: readonly Delta[]) => void written.push(...deltas);
  return { written, write };
}

const NEVER = () => 600_000;

describe('an outbox', () => {
  it('writes the first piece at once, and what arrived with it', async () => {
    const { written, writes, write, until } = slowWriter();
    const outbox = new Outbox(write, NEVER);
    outbox.add(text('Hel'));
    outbox.add(text('lo'));
    await until(1);
    expect(written).toEqual([[text('Hello')]]);
    writes[0]!.resolve();
    await outbox.flush();
    expect(written).toHaveLength(1);
  });

  it('joins what belongs together, and nothing else', async () => {
    const { written, write } = writer();
    const outbox = new Outbox(write, NEVER);
    const pieces = [thought('a'), thought('b'), text('c'), text('d'), thought('e')];
    const calls = [
      call(0, '', 'x'),
      call(0, '{'),
      call(1, '[', 'y'),
      call(0, '}'),
      call(0, ''),
      call(1, ']'),
    ];
    for (const piece of [...pieces, ...calls]) outbox.add(piece);
    await outbox.flush();
    expect(written).toEqual([
      thought('ab'),
      text('cd'),
      thought('e'),
      call(0, '{', 'x'),
      call(1, '[', 'y'),
      call(0, '}'),
      call(1, ']'),
    ]);
  });

  it('gathers what comes soon after, until it is told to flush', async () => {
    const { written, writes, write, until } = slowWriter();
    const outbox = new Outbox(write, NEVER);
    outbox.add(text('1'));
    await until(1);
    outbox.add(text('2'));
    writes[0]!.resolve();
    outbox.add(text('3'));
    const flushed = outbox.flush();
    await until(2);
    writes[1]!.resolve();
    await flushed;
    expect(written).toEqual([[text('1')], [text('23')]]);
  });

  it('gathers no more than enough', async () => {
    const { written, writes, write, until } = slowWriter();
    const outbox = new Outbox(write, NEVER);
    outbox.add(text('1'));
    await until(1);
    writes[0]!.resolve();
    outbox.add(text('x'.repeat(600)));
    await until(2);
    expect(written[1]).toEqual([text('x'.repeat(600))]);
  });

  it('lets whoever says too much wait until it is written', async () => {
    const { writes, write, until } = slowWriter();
    const outbox = new Outbox(write, () => 0);
    expect(outbox.add(text('x'))).toBeUndefined();
    await until(1);
    const behind = outbox.add(text('x'.repeat(70_000)));
    expect(behind).toBeInstanceOf(Promise);
    let over = false;
    void behind!.then(() => {
      over = true;
    });
    writes[0]!.resolve();
    await until(2);
    expect(over).toBe(false);
    writes[1]!.resolve();
    await behind;
    expect(outbox.add(text('x'))).toBeUndefined();
  });

  it('writes nothing that comes after a write that failed, and says so to whoever flushes', async () => {
    const written: (readonly Delta[])[] = [];
    const outbox = new Outbox(async (deltas) => {
      written.push(deltas);
      throw new Error('not to be');
    }, NEVER);
    outbox.add(text('1'));
    await expect(outbox.flush()).rejects.toThrow('not to be');
    outbox.add(text('2'));
    await expect(outbox.flush()).rejects.toThrow('not to be');
    expect(written).toEqual([[text('1')]]);
  });

  it('has nothing to flush when nothing was said', async () => {
    const { written, write } = writer();
    await new Outbox(write, NEVER).flush();
    expect(written).toEqual([]);
  });
});
