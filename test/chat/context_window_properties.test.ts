/** What holds of every prompt, whatever the history went through. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Part, PastTurn, Said } from '../../src/chat/content.ts';
import type { ContextMessage } from '../../src/chat/context.ts';
import { type BuiltContext, buildContext, type ContextInput } from '../../src/chat/context_window.ts';
import { foldRange } from '../../src/chat/fold.ts';
import { heard, isAnothers } from '../../src/chat/other_agents.ts';
import { promptMessages, tokensOfSaid } from '../../src/chat/prompt_messages.ts';
import { ParleyError } from '../../src/errors.ts';
import type { PromptMessage } from '../../src/models/model.ts';
import { encodingOf } from '../../src/tokens/encodings.ts';
import { PRIMING, tokensOf, tokensOfJson } from '../../src/tokens/message_tokens.ts';
import { tokenizer } from '../../src/tokens/tokenizer.ts';
import { forAllAsync } from '../property.ts';
import { backwards, call, counter, result, text } from './past_turns.ts';

/** Few ids, so that calls and results meet, and miss each other. */
const id = fc.constantFrom('a', 'b', 'c', 'd');
const words = fc
  .tuple(
    fc.constantFrom('word ', 'слово ', '語', 'x', '\n', '{"k": 1} ', '😀'),
    fc.integer({ min: 0, max: 150 }),
  )
  .map(([unit, times]) => unit.repeat(times));
const longWords = words.map((unit) => unit.repeat(8));
const anyCall: fc.Arbitrary<Part> = fc
  .tuple(id, fc.constantFrom('{}', '{"q": "Par', '', '[]', '{"q":1}'))
  .map(([at, args]) => call(at, args));
const anyResult: fc.Arbitrary<Part> = fc
  .tuple(id, fc.oneof(words, longWords))
  .map(([at, content]) => result(at, content));
const anyPart: fc.Arbitrary<Part> = fc.oneof(
  { arbitrary: words.map(text), weight: 4 },
  { arbitrary: anyCall, weight: 2 },
  { arbitrary: anyResult, weight: 2 },
  words.map((thought): Part => ({ kind: 'reasoning', text: thought })),
  words.map((refused): Part => ({ kind: 'refusal', text: refused })),
  fc.constant<Part>({ kind: 'image', source: { uri: 'https://example.com/i.png' }, mimeType: '', name: '' }),
);
const anySaid: fc.Arbitrary<Said> = fc.oneof(
  fc.record({
    role: fc.constantFrom('SYSTEM', 'USER', 'ASSISTANT', 'TOOL'),
    participantId: fc.constantFrom('', 'ann', 'bob@example.com'),
    parts: fc.array(anyPart, { maxLength: 3 }),
  }),
  anyCall.map((part): Said => ({ role: 'ASSISTANT', participantId: 'bot', parts: [part] })),
  anyResult.map((part): Said => ({ role: 'TOOL', participantId: '', parts: [part] })),
);

/** A log with gaps, of which some turns were never counted. */
const anyLog: fc.Arbitrary<PastTurn[]> = fc
  .array(fc.tuple(anySaid, fc.integer({ min: 1, max: 3 }), fc.boolean()), { maxLength: 25 })
  .map((turns) => {
    let seq = 0;
    return turns.map(([said, step, isCounted]) => {
      seq += step;
      return { ...said, seq, tokenCount: isCounted ? (tokensOfSaid(said, counter) as number) : 0 };
    });
  });

interface Case extends Omit<ContextInput, 'turns'> {
  readonly log: readonly PastTurn[];
  readonly pageSize: number;
}

const tools = [{ name: 'look', description: 'looks', parameters: { type: 'object' } }];
const anyCase: fc.Arbitrary<Case> = fc
  .record({
    log: anyLog,
    pageSize: fc.integer({ min: 1, max: 7 }),
    tokenBudget: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 5000 })),
    overflow: fc.constantFrom('ADAPTIVE', 'TRUNCATE', 'SUMMARIZE'),
    generation: fc.constantFrom({ model: 'gpt-4o' }, { model: 'gpt-4' }, { model: 'x', tools }),
    system: fc.constantFrom([], [{ source: 'SITUATION' as const, text: 'a school' }]),
    summary: fc.option(fc.record({ text: words, throughSeq: fc.integer({ min: 1, max: 40 }) }), {
      nil: undefined,
    }),
    answering: fc.constantFrom('', 'bot', 'ann'),
    messages: fc.array(anySaid, { maxLength: 3 }),
  })
  .map((each) => ({ ...each, turnCount: each.log.length }));

/** The prompt, or undefined when it is refused for want of room. */
async function promptOf({ log, pageSize, ...input }: Case): Promise<BuiltContext | undefined> {
  try {
    return await buildContext({ ...input, turns: backwards(log, pageSize) });
  } catch (error) {
    if (error instanceof ParleyError && error.reason === 'CONTEXT_OVERFLOW') return undefined;
    throw error;
  }
}

/** Checks every prompt that is not refused; enough of them are not. */
async function ofEveryPrompt(check: (built: BuiltContext, each: Case) => unknown): Promise<void> {
  let prompts = 0;
  await forAllAsync(
    [anyCase],
    async (each) => {
      const built = await promptOf(each);
      if (!built) return;
      prompts++;
      await check(built, each);
    },
    500,
  );
  expect(prompts).toBeGreaterThan(200);
}

function turnsOf({ context }: BuiltContext): ContextMessage[] {
  return context.messages.filter(({ source }) => source === 'TURN');
}

function spoken(messages: readonly ContextMessage[]): ContextMessage[] {
  return messages.filter(({ role, parts: [part] }) => role !== 'TOOL' && !isHeardResult(part!));
}

/** What a tool told another agent, in words. */
function isHeardResult(part: Part): boolean {
  return part.kind === 'text' && part.text.startsWith('[result of ');
}

/** The messages of something said, but for tools'. */
function spokenBy(said: Said, answering: string): PromptMessage[] {
  if (!isAnothers(said, answering)) return promptMessages(said).filter(({ role }) => role !== 'TOOL');
  return [heard(said).message].filter((message) => message !== undefined);
}

describe('every prompt', () => {
  it('keeps to its budget, as the model’s own tokenizer counts it', () =>
    ofEveryPrompt(async ({ context }, { generation, tokenBudget }) => {
      const own = await tokenizer(encodingOf(generation.model));
      let total = PRIMING + ('tools' in generation ? await tokensOfJson(generation.tools, own) : 0);
      for (const message of context.messages) {
        expect(message.tokenCount).toBe(await tokensOf(message, own));
        total += message.tokenCount;
      }
      expect(context).toMatchObject({ tokenCount: total, tokenBudget });
      expect(total).toBeLessThanOrEqual(tokenBudget);
    }));

  it('has each call answered right behind it, and no result elsewhere', () =>
    ofEveryPrompt(({ context }) => {
      let expected: string[] = [];
      for (const { role, parts } of context.messages) {
        const [part] = parts;
        if (role === 'TOOL') {
          expect(part?.kind === 'toolResult' && part.toolCallId).toBe(expected.shift());
          expect(parts).toHaveLength(1);
        } else {
          expect(expected).toEqual([]);
          expected = parts.filter((each) => each.kind === 'toolCall').map((each) => each.id);
          expect(new Set(expected).size).toBe(expected.length);
        }
      }
      expect(expected).toEqual([]);
    }));

  it('tells nothing another agent said as the answering one’s own', () =>
    ofEveryPrompt(({ context }, { answering }) => {
      for (const { role, name } of context.messages) {
        if (role === 'ASSISTANT' && answering !== '') expect(['', answering]).toContain(name);
      }
    }));

  it('has something to send in each message, and arguments that are an object', () =>
    ofEveryPrompt(({ context }) => {
      for (const { parts } of context.messages) {
        expect(parts.length).toBeGreaterThan(0);
        for (const part of parts) {
          expect(part.kind).not.toBe('reasoning');
          if (part.kind === 'toolCall') expect(JSON.parse(part.arguments)).toEqual(expect.any(Object));
        }
      }
    }));

  it('ends with all that the request says', () =>
    ofEveryPrompt((built, { messages, answering }) => {
      const asked = messages.flatMap((said) => spokenBy(said, answering));
      const last = spoken(turnsOf(built)).slice(-asked.length || Number.POSITIVE_INFINITY);
      expect(last.map(({ role, name, parts }) => ({ role, name, parts }))).toEqual(asked);
    }));

  it('has the newest turns, without a gap, in their order', () =>
    ofEveryPrompt((built, { log, answering }) => {
      const sent = spoken(turnsOf(built))
        .map(({ seq }) => seq)
        .filter((seq) => seq > 0);
      const sendable = log.filter((said) => spokenBy(said, answering).length > 0);
      expect(sent).toEqual(sendable.slice(sendable.length - sent.length).map(({ seq }) => seq));
    }));

  it('counts the turns that are missing, and names those a summary has yet to cover', () =>
    ofEveryPrompt((built, { log, overflow, summary }) => {
      const { messages, omittedTurns, summarizedThroughSeq } = built.context;
      const seqs = new Set(messages.map(({ seq }) => seq).filter((seq) => seq > 0));
      expect(omittedTurns).toBe(log.length - seqs.size);
      const isTold = messages.some(({ source }) => source === 'SUMMARY');
      expect(summarizedThroughSeq).toBe(isTold ? summary?.throughSeq : 0);

      const first = spoken(turnsOf(built)).find(({ seq }) => seq > 0)?.seq ?? Number.POSITIVE_INFINITY;
      const isOlder = (said: PastTurn) => said.seq < first && said.seq > (summary?.throughSeq ?? 0);
      const missing = log
        .filter(isOlder)
        .filter((said) => promptMessages(said).some(({ role }) => role !== 'TOOL'));
      if (overflow === 'TRUNCATE' || missing.length === 0) return;
      expect(built.unsummarized).toEqual({
        afterSeq: summary?.throughSeq ?? 0,
        throughSeq: log.findLast(isOlder)?.seq,
      });
    }));

  it('parts no exchange where it asks to fold, and keeps the newest', () =>
    ofEveryPrompt((built) => {
      const range = foldRange(built);
      expect(range === undefined).toBe(built.unsummarized === undefined);
      if (!range) return;
      expect(range.throughSeq).toBeGreaterThanOrEqual(built.unsummarized!.throughSeq);
      const isKept = turnsOf(built).map(({ seq }) => seq === 0 || seq > range.throughSeq);
      let opening = true;
      for (const [at, { role, seq }] of turnsOf(built).entries()) {
        if (role !== 'TOOL') opening = isKept[at]!;
        else if (seq > 0) expect(isKept[at]).toBe(opening);
      }
      if (isKept.length > 0) expect(isKept).toContain(true);
    }));

  it('is refused only for want of room', () =>
    forAllAsync(
      [anyCase],
      async (each) => {
        const roomy = await promptOf({ ...each, tokenBudget: 1_000_000 });
        expect(roomy).toBeDefined();
        expect(roomy?.unsummarized).toBeUndefined();
        expect(roomy?.context.messages.some(({ source }) => source === 'ELISION')).toBe(false);
        expect(roomy?.context.shortenedToolResults).toBe(0);
        const exact = await promptOf({ ...each, tokenBudget: roomy!.context.tokenCount });
        expect(exact?.context.messages).toEqual(roomy?.context.messages);
      },
      200,
    ));
});
