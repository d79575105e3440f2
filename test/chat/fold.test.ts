import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { promptBudget, summaryBudget } from '../../src/chat/budget.ts';
import type { ContextMessage, ContextSource } from '../../src/chat/context.ts';
import type { BuiltContext, SeqRange } from '../../src/chat/context_window.ts';
import { foldRange } from '../../src/chat/fold.ts';
import type { Role } from '../../src/chat/turns.ts';
import { forAll } from '../property.ts';
import { built, call, result, says, stored } from './past_turns.ts';

const chat = Array.from({ length: 60 }, (_, at) =>
  says('USER', `turn ${at + 1} of a chat about the weather`),
);
const asked = { tokenBudget: 400, messages: [says('USER', 'and now?')] };

const anyMessage = fc.record({
  role: fc.constantFrom<Role>('USER', 'ASSISTANT', 'TOOL'),
  source: fc.constantFrom<ContextSource>('TURN', 'TURN', 'TURN', 'SUMMARY', 'ELISION'),
  tokenCount: fc.nat(20),
  step: fc.constantFrom(0, 1, 1, 1, 2, -2),
});
/** Seqs mostly rise, as in a log; results may be taken from behind what they stand before. */
const anyMessages = fc.array(anyMessage, { maxLength: 30 }).map((messages) => {
  let last = 0;
  return messages.map(({ step, ...message }) => {
    last = Math.max(0, last + step);
    return turnOf({ ...message, seq: last });
  });
});

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

  it('is what its definition says, whatever the messages are', () => {
    forAll(
      [anyMessages, fc.integer({ min: 0, max: 300 }), fc.nat(30)],
      (messages, tokenBudget, throughSeq) => {
        const full = prompt(messages, tokenBudget, throughSeq);
        expect(foldRange(full)).toEqual(foldedByDefinition(full));
      },
      1000,
    );
  });

  it('is told by a look or two at each message, however many there are', () => {
    let looks = 0;
    const messages = Array.from({ length: 1000 }, (_, at) => ({
      ...turnOf({ role: 'USER', seq: at + 1 }),
      get tokenCount() {
        looks++;
        return 5;
      },
    }));
    expect(foldRange(prompt(messages, 5000, 1))?.throughSeq).toBe(500);
    expect(looks).toBeLessThanOrEqual(2000);
  });
});

function turnOf(message: Partial<ContextMessage>): ContextMessage {
  return { role: 'USER', name: '', parts: [], source: 'TURN', seq: 0, tokenCount: 5, ...message };
}

function prompt(messages: readonly ContextMessage[], tokenBudget: number, throughSeq: number): BuiltContext {
  const told = { tokenCount: 0, omittedTurns: 1, summarizedThroughSeq: 0, shortenedToolResults: 0 };
  return { context: { ...told, messages, tokenBudget }, unsummarized: { afterSeq: 0, throughSeq } };
}

/** As plainly as it can be said, however long it takes. */
function foldedByDefinition({ context, unsummarized }: BuiltContext): SeqRange {
  const { messages, tokenBudget } = context;
  const tokensOf = (some: readonly ContextMessage[]) => some.reduce((sum, each) => sum + each.tokenCount, 0);
  const seqsOf = (some: readonly ContextMessage[]) => some.map(({ seq }) => seq).filter((seq) => seq > 0);
  const turns = messages.filter(({ source }) => source === 'TURN');
  const summaries = messages.filter(({ source }) => source === 'SUMMARY');
  const places = [...turns.keys()].filter((at) => {
    const isParted = Math.max(0, ...seqsOf(turns.slice(0, at))) < Math.min(...seqsOf(turns.slice(at)));
    return turns[at]!.role !== 'TOOL' && isParted;
  });
  const half = (tokenBudget - tokensOf(summaries)) / 2;
  const place = places.find((at) => tokensOf(turns.slice(at)) <= half) ?? places.at(-1) ?? 0;
  const folded = Math.max(0, ...seqsOf(turns.slice(0, place)));
  return { afterSeq: 0, throughSeq: Math.max(unsummarized!.throughSeq, folded) };
}

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
