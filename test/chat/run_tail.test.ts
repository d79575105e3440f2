import { describe, expect, it } from 'vitest';
import { splitFrames } from '../../src/chat/frames.ts';
import type { RunLog, RunNews, RunPage } from '../../src/chat/run.ts';
import { RunTail } from '../../src/chat/run_tail.ts';
import { sessionNotFound } from '../../src/errors.ts';
import { runEncoder } from '../../src/services/run_encoder.ts';

const KEY = { namespace: 'default', sessionId: 's' };

function frame(offset: number, size = 1): Uint8Array {
  return runEncoder.delta('r', offset, { kind: 'text', text: 'x'.repeat(size) });
}

/** A log whose answers are given by hand, and that says when to listen. */
function logByHand() {
  const reads: {
    after: number;
    answer: (last: number | undefined) => void;
    fail: (error: unknown) => void;
  }[] = [];
  let heard: (news: RunNews | undefined) => void = () => {};
  const log = {
    listen: async (_key: unknown, listener: typeof heard) => {
      heard = listener;
      return () => {};
    },
    read: (_key: unknown, _run: unknown, after: number) =>
      new Promise<RunPage | undefined>((resolve, reject) => {
        const answer = (last: number | undefined) =>
          resolve(last === undefined ? undefined : page(after, last));
        reads.push({ after, answer, fail: reject });
      }),
  };
  const tail = new RunTail(log as unknown as RunLog, KEY, 'r');
  const rings = { count: 0 };
  tail.join(() => void rings.count++);
  const news = (...offsets: number[]) =>
    heard({
      runId: 'r',
      offset: offsets[0]!,
      frames: Buffer.concat(offsets.map((n) => frame(n))),
      turnSeq: undefined,
    });
  const read = async (number: number) => {
    while (reads.length < number) await new Promise((resolve) => setImmediate(resolve));
    return reads[number - 1]!;
  };
  return { tail, rings, reads, read, news, hear: (some: RunNews | undefined) => heard(some) };
}

function page(after: number, last: number): RunPage {
  const offsets = Array.from({ length: last - after }, (_, index) => after + 1 + index);
  const run = {
    runId: 'r',
    status: 'RUNNING',
    participantId: '',
    model: 'm',
    createTime: 1,
    endTime: undefined,
  } as const;
  return {
    run: { ...run, lastOffset: last, turnSeq: 0, error: new Uint8Array() },
    frames: Buffer.concat(offsets.map((n) => frame(n))),
    lastOffset: last,
    more: false,
  };
}

function offsets(frames: readonly Uint8Array[]): number[] {
  return frames.flatMap((one) => splitFrames(one).map(({ seq }) => seq));
}

describe('the tail of a run', () => {
  it('that is about to start is not missed when somebody looks before', async () => {
    const { tail, read, news, hear } = logByHand();
    await tail.listen();
    hear(undefined);
    (await read(1)).answer(undefined);
    news(1, 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(tail.lastOffset).toBe(2);
    expect(offsets(tail.after(0))).toEqual([1, 2]);
  });

  it('that was there and is not any more says so', async () => {
    const { tail, read, news, hear } = logByHand();
    await tail.listen();
    news(1);
    hear(undefined);
    (await read(1)).fail(sessionNotFound('s'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(() => tail.lastOffset).toThrow(
      expect.objectContaining({ reason: 'SESSION_DELETED', code: 'NOT_FOUND' }),
    );
  });

  it('does not take a page that was asked for before for the news that came since', async () => {
    const { tail, read, news, hear } = logByHand();
    await tail.listen();
    news(1);
    const early = tail.read(1);
    hear({ runId: 'r', offset: 2, frames: undefined, turnSeq: undefined }); // too large to be brought along
    (await read(1)).answer(1);
    await early;
    (await read(2)).answer(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(tail.lastOffset).toBe(2);
  });

  it('asks for a page once, whoever needs it', async () => {
    const { tail, reads, read } = logByHand();
    await tail.listen();
    const pages = [tail.read(0), tail.read(0)];
    (await read(1)).answer(3);
    expect(await pages[0]).toBe(await pages[1]);
    expect(reads).toHaveLength(1);
    void tail.read(0);
    await read(2);
  });

  it('takes news once, and none of other runs', async () => {
    const { tail, rings, news, hear } = logByHand();
    await tail.listen();
    news(1, 2);
    news(2, 3);
    hear({ runId: 'other', offset: 1, frames: frame(4), turnSeq: 9 });
    expect(offsets(tail.after(0))).toEqual([1, 2, 3]);
    expect(offsets(tail.after(2))).toEqual([3]);
    expect(tail.turnSeq).toBeUndefined();
    expect(rings.count).toBe(2);
  });

  it('looks when news are missing', async () => {
    const { tail, read, news } = logByHand();
    await tail.listen();
    news(1);
    news(3);
    const asked = await read(1);
    expect(asked.after).toBe(1);
    asked.answer(3);
    await new Promise((resolve) => setImmediate(resolve));
    expect(tail.lastOffset).toBe(3);
    expect(tail.after(1)).toEqual([]); // to be read
  });

  it('keeps the newest events only, and few bytes of them', async () => {
    const { tail, hear } = logByHand();
    await tail.listen();
    for (let n = 1; n <= 10; n++)
      hear({ runId: 'r', offset: n, frames: frame(n, 40_000), turnSeq: undefined });
    expect(tail.after(0)).toEqual([]);
    expect(offsets(tail.after(7))).toEqual([8, 9, 10]);
  });
});
