import { describe, expect, it } from 'vitest';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { getSession, numbers, say, seqs, seqsOf, sessionWith, turnsOf } from './turns.ts';

const parley = useParley();

describe('ClearHistory', () => {
  it('removes all turns, and numbering goes on', async () => {
    const sessionId = await sessionWith(parley, 5);
    expect((await parley.chat.clearHistory({ sessionId })).cursor).not.toBe('');
    expect(await turnsOf(parley, sessionId)).toEqual([]);
    expect(await getSession(parley, sessionId)).toMatchObject({ turnCount: 0, lastTurnSeq: 0 });
    expect(seqs((await say(parley, sessionId, 'a', 'b')).turns)).toEqual([6, 7]);
    await parley.chat.clearHistory({ sessionId });
    expect(seqs((await say(parley, sessionId, 'c')).turns)).toEqual([8]);
  });

  it('of an empty log leaves it as it is', async () => {
    const sessionId = await sessionWith(parley, 0);
    const before = await getSession(parley, sessionId);
    const { cursor } = await parley.chat.clearHistory({ sessionId });
    expect(cursor).toBe((await parley.chat.listTurns({ sessionId })).cursor);
    expect(await getSession(parley, sessionId)).toEqual(before);
    expect(seqs((await say(parley, sessionId, 'a')).turns)).toEqual([1]);
  });

  it('leaves data, metadata, configs and participants alone', async () => {
    const session = {
      data: { a: 1 },
      metadata: { b: 2 },
      configs: { c: 3 },
      situation: 'here',
      userId: 'ann',
    };
    const sessionId = await sessionWith(parley, 0, session);
    const before = await getSession(parley, sessionId);
    await say(parley, sessionId, 'a', 'b');
    await parley.chat.clearHistory({ sessionId });
    const { updateTime, ...after } = await getSession(parley, sessionId);
    expect(before).toMatchObject(after);
    expect(updateTime).not.toEqual(before.updateTime);
  });

  it('of a thousand and more turns removes them all', async () => {
    const sessionId = await sessionWith(parley, 1000);
    await say(parley, sessionId, ...numbers(1001, 2000));
    await say(parley, sessionId, ...numbers(2001, 2500));
    await parley.chat.clearHistory({ sessionId });
    expect(await turnsOf(parley, sessionId)).toEqual([]);
    expect(seqs((await say(parley, sessionId, 'x')).turns)).toEqual([2501]);
  });
});

describe('RewindHistory', () => {
  it.each([
    [4, [1, 2, 3, 4], 1, 4],
    [3, [1, 2, 3], 2, 3],
    [1, [1], 4, 1],
    [0, [], 5, 0],
    [5, [1, 2, 3, 4, 5], 0, 5],
    [6, [1, 2, 3, 4, 5], 0, 5],
    [4_294_967_295, [1, 2, 3, 4, 5], 0, 5],
  ])(
    'of five turns to %i keeps %j, says that %i went and that the last is %i',
    async (toSeq, kept, gone, last) => {
      const sessionId = await sessionWith(parley, 5);
      const before = await turnsOf(parley, sessionId);
      const { removed, cursor } = await parley.chat.rewindHistory({ sessionId, toSeq });
      expect(removed).toBe(gone);
      expect(cursor).toBe((await parley.chat.listTurns({ sessionId })).cursor);
      expect(await turnsOf(parley, sessionId)).toEqual(before.slice(0, kept.length));
      expect(await seqsOf(parley, sessionId)).toEqual(kept);
      expect(await getSession(parley, sessionId)).toMatchObject({
        turnCount: kept.length,
        lastTurnSeq: last,
      });
      expect(seqs((await say(parley, sessionId, 'x')).turns)).toEqual([6]);
    },
  );

  it('to a seq that is no longer there keeps what is before it', async () => {
    const sessionId = await sessionWith(parley, 5);
    await parley.chat.rewindHistory({ sessionId, toSeq: 2 });
    await say(parley, sessionId, 6, 7, 8);
    expect(await parley.chat.rewindHistory({ sessionId, toSeq: 4 })).toMatchObject({ removed: 3 });
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2]);
    expect(await getSession(parley, sessionId)).toMatchObject({ turnCount: 2, lastTurnSeq: 2 });
    expect(await parley.chat.rewindHistory({ sessionId, toSeq: 4 })).toMatchObject({ removed: 0 });
    expect(seqs((await say(parley, sessionId, 'x')).turns)).toEqual([9]);
  });

  it('between what was cleared and what came after leaves nothing', async () => {
    const sessionId = await sessionWith(parley, 5);
    await parley.chat.clearHistory({ sessionId });
    await say(parley, sessionId, 6, 7);
    expect(await parley.chat.rewindHistory({ sessionId, toSeq: 5 })).toMatchObject({ removed: 2 });
    expect(await seqsOf(parley, sessionId)).toEqual([]);
    expect(await getSession(parley, sessionId)).toMatchObject({ turnCount: 0, lastTurnSeq: 0 });
  });

  it('beyond the end changes nothing at all', async () => {
    const sessionId = await sessionWith(parley, 5);
    const before = await getSession(parley, sessionId);
    const { cursor } = await parley.chat.listTurns({ sessionId });
    for (const toSeq of [5, 6, 4_294_967_295])
      expect(await parley.chat.rewindHistory({ sessionId, toSeq })).toMatchObject({ removed: 0, cursor });
    expect(await getSession(parley, sessionId)).toEqual(before);
  });

  it('of 2,500 turns to the middle removes half', async () => {
    const sessionId = await sessionWith(parley, 1000);
    await say(parley, sessionId, ...numbers(1001, 2000));
    await say(parley, sessionId, ...numbers(2001, 2500));
    expect(await parley.chat.rewindHistory({ sessionId, toSeq: 1250 })).toMatchObject({ removed: 1250 });
    expect(await seqsOf(parley, sessionId)).toEqual(numbers(1, 1250));
  });
});

describe('at once', () => {
  it('many rewinds remove each turn once', async () => {
    const sessionId = await sessionWith(parley, 30);
    const answers = await Promise.all(
      numbers(1, 15).map((n) => parley.chat.rewindHistory({ sessionId, toSeq: 30 - n })),
    );
    expect(answers.reduce((sum, { removed }) => sum + removed, 0)).toBe(15);
    expect(await seqsOf(parley, sessionId)).toEqual(numbers(1, 15));
  });

  it('appends and clears never make a seq twice', async () => {
    const sessionId = await sessionWith(parley, 0);
    const appends = Promise.all(numbers(1, 40).map((n) => say(parley, sessionId, n, n)));
    const clears = Promise.all(numbers(1, 10).map(() => parley.chat.clearHistory({ sessionId })));
    const answers = await appends;
    await clears;
    const made = answers.flatMap(({ turns }) => seqs(turns)).toSorted((a, b) => a - b);
    expect(made).toEqual(numbers(1, 80));
    const kept = await seqsOf(parley, sessionId);
    expect(kept).toEqual(numbers(81 - kept.length, 80));
    expect((await getSession(parley, sessionId)).turnCount).toBe(kept.length);
  });
});

it('of an absent session both are NOT_FOUND', async () => {
  const sessionId = newId();
  for (const call of [
    parley.chat.clearHistory({ sessionId }),
    parley.chat.rewindHistory({ sessionId, toSeq: 1 }),
  ])
    expect(await refusal(call)).toBe('NOT_FOUND SESSION_NOT_FOUND');
});
