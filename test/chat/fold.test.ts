import { describe, expect, it } from 'vitest';
import { promptBudget, summaryBudget } from '../../src/chat/budget.ts';
import { foldRange } from '../../src/chat/fold.ts';
import { built, call, result, says, stored } from './past_turns.ts';

const chat = Array.from({ length: 60 }, (_, at) =>
  says('USER', `turn ${at + 1} of a chat about the weather`),
);
const asked = { tokenBudget: 400, messages: [says('USER', 'and now?')] };

describe('what is folded', () => {
  it('leaves half of the room to the turns to come', async () => {
    const log = await stored(...chat);
    const full = await built(log, asked);
    const range = foldRange(full)!;
    expect(range.afterSeq).toBe(0);
    const folded = await built(log, {
      ...asked,
      summary: { text: 'They talk.', throughSeq: range.throughSeq },
    });
    expect(folded.unsummarized).toBeUndefined();
    expect(folded.context.tokenCount).toBeGreaterThan(150);
    expect(folded.context.tokenCount).toBeLessThan(220);
  });

  it('is needed again only when as much was said', async () => {
    const log = await stored(...chat);
    const { throughSeq } = foldRange(await built(log.slice(0, 40), asked))!;
    const summary = { text: 'They talk.', throughSeq };
    let length = 40;
    while (!(await built(log.slice(0, length), { ...asked, summary })).unsummarized) length++;
    expect(length).toBeGreaterThan(48);
    const next = foldRange(await built(log.slice(0, length), { ...asked, summary }))!;
    expect(next.afterSeq).toBe(throughSeq);
    expect(next.throughSeq).toBeGreaterThan(throughSeq + 8);
  });

  it('is nothing when nothing is left out', async () => {
    expect(foldRange(await built(await stored(...chat)))).toBeUndefined();
    expect(foldRange(await built(await stored(...chat), { ...asked, overflow: 'TRUNCATE' }))).toBeUndefined();
  });

  it('takes a call with its results, whenever those came', async () => {
    const page = 'line after line. '.repeat(20);
    const log = await stored(
      ...chat.slice(0, 20),
      says('ASSISTANT', page, call('a')),
      says('USER', page),
      says('TOOL', result('a', page)),
      says('USER', 'thanks'),
    );
    const range = foldRange(await built(log, { tokenBudget: 420 }))!;
    expect(range.throughSeq).toBe(23);
  });
});

describe('the budget of a prompt', () => {
  it('is the session’s, else what the window leaves beside the answer', () => {
    expect(promptBudget(1000, 128_000, 500)).toBe(1000);
    expect(promptBudget(0, 128_000, 500)).toBe(127_500);
    expect(promptBudget(0, 128_000, undefined)).toBe(128_000 - 4096);
    expect(promptBudget(0, 8192, undefined)).toBe(6144);
    expect(promptBudget(0, 8192, 10_000)).toBe(0);
  });

  it('gives a summary a quarter, and a thousand tokens at most', () => {
    expect([summaryBudget(400), summaryBudget(1_000_000), summaryBudget(0)]).toEqual([100, 1024, 1]);
  });
});
