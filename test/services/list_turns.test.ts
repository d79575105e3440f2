import { beforeAll, describe, expect, it } from 'vitest';
import { Direction } from '../../gen/parley/v1/chat_service_pb.ts';
import type { Turn } from '../../gen/parley/v1/content_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { followed, type ListAsk, numbers, say, seqs, sessionWith, turnsFrom } from './turns.ts';

const parley = useParley();
const { BACKWARD, FORWARD } = Direction;

/** Sixty turns, appended one by one, so that each has its own time. */
let sessionId: string;
const turns: Turn[] = [];
beforeAll(async () => {
  sessionId = await sessionWith(parley, 0);
  for (const n of numbers(1, 60)) turns.push(...(await say(parley, sessionId, n)).turns);
});

async function listed(ask: ListAsk): Promise<number[]> {
  return seqs((await parley.chat.listTurns({ sessionId, ...ask })).turns);
}

/** When turn `seq` was stored. */
function time(seq: number) {
  return turns[seq - 1]!.createTime!;
}

describe('a list', () => {
  it('begins with the newest fifty turns, oldest first', async () => {
    expect(await listed({})).toEqual(numbers(11, 60));
    expect(await listed({ direction: BACKWARD })).toEqual(numbers(11, 60));
  });

  it('begins with the oldest when it goes FORWARD', async () => {
    expect(await listed({ direction: FORWARD })).toEqual(numbers(1, 50));
    expect(await listed({ direction: FORWARD, pageSize: 3 })).toEqual([1, 2, 3]);
  });

  it('has the turns as they were appended', async () => {
    expect((await parley.chat.listTurns({ sessionId, pageSize: 60 })).turns).toEqual(turns);
  });

  it('of no turns is empty, and has a cursor to follow from', async () => {
    const empty = await sessionWith(parley, 0);
    const answer = await parley.chat.listTurns({ sessionId: empty });
    expect(answer).toMatchObject({ turns: [], nextPageToken: '' });
    const from = { case: 'cursor' as const, value: answer.cursor };
    await say(parley, empty, 'x');
    expect(await followed(parley, { sessionId: empty, from })).toEqual(['turn 1', 'caught up']);
  });

  it('of an absent session is NOT_FOUND', async () => {
    expect(await refusal(listed({ sessionId: newId() }))).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });

  it('misses what was removed, and nothing else', async () => {
    const own = await sessionWith(parley, 5);
    await parley.chat.rewindHistory({ sessionId: own, toSeq: 2 });
    await say(parley, own, 6, 7);
    expect(await listed({ sessionId: own })).toEqual([1, 2, 6, 7]);
    expect(await listed({ sessionId: own, afterSeq: 2 })).toEqual([6, 7]);
    expect(await listed({ sessionId: own, beforeSeq: 5, pageSize: 1 })).toEqual([2]);
    expect(await listed({ sessionId: own, afterSeq: 3, direction: FORWARD, pageSize: 1 })).toEqual([6]);
  });
});

describe('bounds', () => {
  it.each<[ListAsk, number[]]>([
    [{ beforeSeq: 4 }, [1, 2, 3]],
    [{ afterSeq: 57 }, [58, 59, 60]],
    [{ afterSeq: 10, beforeSeq: 13 }, [11, 12]],
    [{ beforeSeq: 30, pageSize: 2 }, [28, 29]],
    [{ afterSeq: 30, pageSize: 2 }, [59, 60]],
    [{ beforeSeq: 30, pageSize: 2, direction: FORWARD }, [1, 2]],
    [{ afterSeq: 30, pageSize: 2, direction: FORWARD }, [31, 32]],
    [{ afterSeq: 0, beforeSeq: 0, pageSize: 2 }, [59, 60]],
    [{ beforeSeq: 61, pageSize: 1 }, [60]],
    [{ beforeSeq: 4_294_967_295, pageSize: 1 }, [60]],
  ])('by seq leave out what they name: %j', async (ask, expected) => {
    expect(await listed(ask)).toEqual(expected);
  });

  it('by time leave out what they name', async () => {
    expect(await listed({ beforeTime: time(4) })).toEqual([1, 2, 3]);
    expect(await listed({ afterTime: time(57) })).toEqual([58, 59, 60]);
    expect(await listed({ afterTime: time(10), beforeTime: time(13) })).toEqual([11, 12]);
    expect(await listed({ beforeTime: time(30), pageSize: 2 })).toEqual([28, 29]);
    expect(await listed({ afterTime: time(30), pageSize: 2, direction: FORWARD })).toEqual([31, 32]);
  });

  it('by time are exact to the nanosecond', async () => {
    const shifted = (seq: number, nanos: number) => {
      const at = time(seq).seconds * 1_000_000_000n + BigInt(time(seq).nanos + nanos);
      return { seconds: at / 1_000_000_000n, nanos: Number(at % 1_000_000_000n) };
    };
    expect((await listed({ beforeTime: shifted(20, 1) })).at(-1)).toBe(20);
    expect((await listed({ beforeTime: shifted(20, -1) })).at(-1)).toBe(19);
    expect((await listed({ afterTime: shifted(20, 1) }))[0]).toBe(21);
    expect((await listed({ afterTime: shifted(20, -1) }))[0]).toBe(20);
  });

  it('by time are not fooled by turns that were stored at one time', async () => {
    const own = await sessionWith(parley, 3);
    const { turns: same } = await parley.chat.listTurns({ sessionId: own });
    const at = (turn: Turn) => turn.createTime!.seconds * 1_000_000_000n + BigInt(turn.createTime!.nanos);
    const bound = same[1]!.createTime!;
    const earlier = same.filter((turn) => at(turn) < at(same[1]!));
    const later = same.filter((turn) => at(turn) > at(same[1]!));
    expect(await listed({ sessionId: own, beforeTime: bound })).toEqual(seqs(earlier));
    expect(await listed({ sessionId: own, afterTime: bound })).toEqual(seqs(later));
  });

  it('combine', async () => {
    expect(await listed({ afterSeq: 5, afterTime: time(8), beforeTime: time(20), beforeSeq: 12 })).toEqual([
      9, 10, 11,
    ]);
    expect(await listed({ afterSeq: 9, afterTime: time(8), beforeTime: time(11), beforeSeq: 12 })).toEqual([
      10,
    ]);
  });

  it.each<[string, () => ListAsk]>([
    ['before the first', () => ({ beforeSeq: 1 })],
    ['after the last', () => ({ afterSeq: 60 })],
    ['far after the last', () => ({ afterSeq: 4_294_967_295 })],
    ['between neighbours', () => ({ afterSeq: 5, beforeSeq: 6 })],
    ['crossed', () => ({ afterSeq: 10, beforeSeq: 5 })],
    ['after and before the same', () => ({ afterSeq: 7, beforeSeq: 7 })],
    ['before the first time', () => ({ beforeTime: time(1) })],
    ['after the last time', () => ({ afterTime: time(60) })],
    ['crossed times', () => ({ afterTime: time(30), beforeTime: time(20) })],
    ['a seq and a time apart', () => ({ beforeSeq: 20, afterTime: time(20) })],
    ['in the year 9999', () => ({ afterTime: { seconds: 253_402_300_799n, nanos: 999_999_999 } })],
    ['in the year 1', () => ({ beforeTime: { seconds: -62_135_596_800n } })],
  ])('%s leave nothing, and that is no error', async (_, ask) => {
    for (const direction of [BACKWARD, FORWARD]) {
      const answer = await parley.chat.listTurns({ sessionId, direction, ...ask() });
      expect(answer).toMatchObject({ turns: [], nextPageToken: '' });
      expect(answer.cursor).not.toBe('');
    }
  });
});

describe('the cursor', () => {
  it('stands behind the newest turn of the log, on whichever page and within whatever bounds', async () => {
    const own = await sessionWith(parley, 9);
    const first = await parley.chat.listTurns({ sessionId: own, pageSize: 3 });
    const asks: ListAsk[] = [
      { pageSize: 3, pageToken: first.nextPageToken },
      { pageSize: 3, direction: FORWARD },
      { beforeSeq: 2 },
      { afterSeq: 100 },
    ];
    const cursors = [first.cursor];
    for (const ask of asks) cursors.push((await parley.chat.listTurns({ sessionId: own, ...ask })).cursor);
    await say(parley, own, 10, 11);
    for (const value of cursors)
      expect(await followed(parley, { sessionId: own, from: { case: 'cursor', value } })).toEqual([
        ...turnsFrom(10, 11),
        'caught up',
      ]);
  });

  it('of a list is that of the append before it', async () => {
    const own = await sessionWith(parley, 1);
    const { cursor } = await say(parley, own, 'x');
    const from = { case: 'cursor' as const, value: (await parley.chat.listTurns({ sessionId: own })).cursor };
    for (const value of [cursor, from.value])
      expect(await followed(parley, { sessionId: own, from: { ...from, value } })).toEqual(['caught up']);
  });
});
