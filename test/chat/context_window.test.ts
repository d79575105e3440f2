import { describe, expect, it } from 'vitest';
import type { Said } from '../../src/chat/content.ts';
import { ParleyError } from '../../src/errors.ts';
import { backwards, built, call, result, says, stored, told } from './past_turns.ts';

function chatter(turns: number): Said[] {
  return Array.from({ length: turns }, (_, at) =>
    says(at % 2 === 0 ? 'USER' : 'ASSISTANT', `turn ${at + 1} of a chat about the weather`),
  );
}

async function refusal(work: Promise<unknown>): Promise<ParleyError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ParleyError) return error;
  throw new Error('was not refused');
}

const LONG = 'a page of what the tool found, line after line. '.repeat(100);

describe('a prompt with room for everything', () => {
  it('is what is told of the session, then the log, then what the request says', async () => {
    const prompt = await built(await stored(says('USER', 'hello'), says('ASSISTANT', 'hi')), {
      system: [
        { source: 'DOCUMENTS', text: 'a document' },
        { source: 'INSIGHTS', text: '' },
        { source: 'INSTRUCTIONS', text: 'be kind' },
        { source: 'SITUATION', text: 'a school' },
      ],
      messages: [says('USER', 'who are you?')],
    });
    expect(told(prompt)).toEqual([
      'SYSTEM a school',
      'SYSTEM be kind',
      'SYSTEM a document',
      'USER hello',
      'ASSISTANT hi',
      'USER who are you?',
    ]);
    expect(prompt.context.messages.map(({ source, seq }) => [source, seq])).toEqual([
      ['SITUATION', 0],
      ['INSTRUCTIONS', 0],
      ['DOCUMENTS', 0],
      ['TURN', 1],
      ['TURN', 2],
      ['TURN', 0],
    ]);
    expect(prompt.context).toMatchObject({
      omittedTurns: 0,
      summarizedThroughSeq: 0,
      shortenedToolResults: 0,
    });
    expect(prompt.unsummarized).toBeUndefined();
  });

  it('has no system message when there is nothing to tell', async () => {
    expect(told(await built([], { messages: [says('USER', 'hello')] }))).toEqual(['USER hello']);
  });

  it('names who speaks in characters providers take', async () => {
    const log = await stored(
      { ...says('USER', 'hi'), participantId: 'ann@example.com' },
      { ...says('ASSISTANT', 'hi'), participantId: 'x'.repeat(100) },
      { ...says('SYSTEM', 'hi'), participantId: 'root' },
    );
    const { context } = await built(log);
    expect(context.messages.map(({ name }) => name)).toEqual(['ann_example_com', 'x'.repeat(64), '']);
  });

  it('leaves out what has nothing to send, and what was thought', async () => {
    const thought = { kind: 'reasoning', text: 'hmm' } as const;
    const prompt = await built(
      await stored(says('USER', 'hello'), says('ASSISTANT', thought), says('ASSISTANT', thought, 'hi')),
    );
    expect(told(prompt)).toEqual(['USER hello', 'ASSISTANT hi']);
    expect(prompt.context.omittedTurns).toBe(1);
    expect(prompt.unsummarized).toBeUndefined();
  });

  it('does not repeat what the summary covers', async () => {
    const prompt = await built(await stored(...chatter(6)), { summary: { text: 'they met', throughSeq: 4 } });
    expect(told(prompt)).toEqual([
      'SYSTEM Summary of the conversation so far:\nthey met',
      'USER turn 5 of a chat about the weather',
      'ASSISTANT turn 6 of a chat about the weather',
    ]);
    expect(prompt.context).toMatchObject({ omittedTurns: 4, summarizedThroughSeq: 4 });
    expect(prompt.unsummarized).toBeUndefined();
  });
});

describe('a prompt with room for less', () => {
  it('does without the summary rather than without the question', async () => {
    const summary = { text: 'they met, and met again. '.repeat(20), throughSeq: 4 };
    const prompt = await built(await stored(...chatter(6)), {
      tokenBudget: 60,
      summary,
      messages: [says('USER', 'and now?')],
    });
    expect(told(prompt).at(-1)).toBe('USER and now?');
    expect(prompt.context.messages.map(({ source }) => source)).not.toContain('SUMMARY');
    expect(prompt.context.summarizedThroughSeq).toBe(0);
    expect(prompt.unsummarized).toBeUndefined(); // it is all in the summary there was no room for, or sent
  });

  it('has the newest turns, and says how many are missing', async () => {
    const prompt = await built(await stored(...chatter(40)), {
      tokenBudget: 100,
      messages: [says('USER', 'and now?')],
    });
    const { messages, tokenCount, tokenBudget } = prompt.context;
    const turns = messages.filter(({ seq }) => seq > 0);
    expect(turns.at(-1)?.seq).toBe(40);
    expect(messages[0]).toMatchObject({ source: 'ELISION', role: 'SYSTEM', seq: 0 });
    expect(told(prompt)[0]).toBe(`SYSTEM [${40 - turns.length} earlier messages were left out]`);
    expect(told(prompt).at(-1)).toBe('USER and now?');
    expect(tokenBudget).toBe(100);
    expect(tokenCount).toBeGreaterThan(80);
    expect(tokenCount).toBeLessThanOrEqual(100);
    expect(prompt.unsummarized).toEqual({ afterSeq: 0, throughSeq: 40 - turns.length });
  });

  it('asks for no summary when it is to truncate', async () => {
    const prompt = await built(await stored(...chatter(40)), { tokenBudget: 100, overflow: 'TRUNCATE' });
    expect(prompt.context.omittedTurns).toBeGreaterThan(20);
    expect(prompt.unsummarized).toBeUndefined();
  });

  it('counts as missing only what no summary covers', async () => {
    const log = await stored(...chatter(40));
    const prompt = await built(log, { tokenBudget: 150, summary: { text: 'they met', throughSeq: 20 } });
    const first = prompt.context.messages.find(({ seq }) => seq > 0)!.seq;
    expect(told(prompt)[1]).toBe(`SYSTEM [${first - 21} earlier messages were left out]`);
    expect(prompt.context.omittedTurns).toBe(first - 1);
    expect(prompt.unsummarized).toEqual({ afterSeq: 20, throughSeq: first - 1 });
  });

  it('is refused when what has to be said does not fit, with how much it takes', async () => {
    const system = [{ source: 'SITUATION' as const, text: LONG }];
    const error = await refusal(built([], { tokenBudget: 1000, system, messages: [says('USER', 'hi')] }));
    expect(error).toMatchObject({ reason: 'CONTEXT_OVERFLOW', code: 'FAILED_PRECONDITION' });
    expect(error.message).toMatch(/takes at least 12\d\d tokens, and there are 1000/);
    const all = [says('USER', LONG), says('USER', 'hi')];
    expect((await refusal(built([], { tokenBudget: 1000, messages: all }))).reason).toBe('CONTEXT_OVERFLOW');
  });

  it('has the newest turn of the log when the request has none, or is refused', async () => {
    const log = await stored(says('USER', 'hello'), says('USER', LONG));
    expect((await refusal(built(log, { tokenBudget: 500 }))).reason).toBe('CONTEXT_OVERFLOW');
    expect(told(await built(log, { tokenBudget: 500, messages: [says('USER', 'hi')] }))).toEqual([
      'SYSTEM [2 earlier messages were left out]',
      'USER hi',
    ]);
  });

  it('has room for tools and the form of the answer too', async () => {
    const tools = [{ name: 'look', description: LONG, parameters: undefined }];
    const ask = { tokenBudget: 1000, messages: [says('USER', 'hi')] };
    const error = await refusal(built([], { ...ask, generation: { model: 'gpt-4o', tools } }));
    expect(error.reason).toBe('CONTEXT_OVERFLOW');
    const responseFormat = { type: 'json_schema', schema: LONG };
    expect(
      (await refusal(built([], { ...ask, generation: { model: 'gpt-4o', responseFormat } }))).reason,
    ).toBe('CONTEXT_OVERFLOW');
  });

  it('reads no more of a long log than it sends', async () => {
    const read = { pages: 0 };
    const log = await stored(...chatter(1000));
    await built(log, { tokenBudget: 200, turns: backwards(log, 10, read) });
    expect(read.pages).toBeLessThan(4);
    read.pages = 0;
    await built(log, { summary: { text: 's', throughSeq: 985 }, turns: backwards(log, 10, read) });
    expect(read.pages).toBe(2);
  });

  it('gives up on a log with nothing to send', async () => {
    const read = { pages: 0 };
    const log = await stored(...Array.from({ length: 3000 }, () => says('TOOL', result('nobody'))));
    const prompt = await built(log, { messages: [says('USER', 'hi')], turns: backwards(log, 100, read) });
    expect(told(prompt)).toEqual(['SYSTEM [3000 earlier messages were left out]', 'USER hi']);
    expect(read.pages).toBeLessThan(12);
  });
});

describe('a prompt with long tool results', () => {
  const looked = (id: string, content: string) => [
    says('USER', `look for ${id}`),
    says('ASSISTANT', call(id)),
    says('TOOL', result(id, content)),
    says('ASSISTANT', `that was ${id}`),
  ];
  const question = [says('USER', 'and now?')];

  it('shortens the oldest first, and as few as it takes', async () => {
    const log = await stored(...looked('a', LONG), ...looked('b', LONG), ...looked('c', 'short'));
    const prompt = await built(log, { tokenBudget: 1700, messages: question });
    expect(prompt.context).toMatchObject({ shortenedToolResults: 1, omittedTurns: 0 });
    const [first, second] = prompt.context.messages.filter(({ role }) => role === 'TOOL');
    expect(first?.parts[0]).toMatchObject({
      content: expect.stringMatching(/^a page of.*\n\[… shortened, 1\d\d\d tokens\]$/s),
    });
    expect(first!.tokenCount).toBeLessThan(250);
    expect(second?.parts[0]).toMatchObject({ content: LONG });
  });

  it('drops turns only when all are short', async () => {
    const log = await stored(...looked('a', LONG), ...looked('b', LONG), ...looked('c', LONG));
    const prompt = await built(log, { tokenBudget: 650, messages: question });
    expect(prompt.context.shortenedToolResults).toBe(2);
    expect(prompt.context.omittedTurns).toBeGreaterThan(0);
    expect(prompt.unsummarized).toMatchObject({ afterSeq: 0 });
  });

  it('leaves them alone unless it is adaptive', async () => {
    const log = await stored(...looked('a', LONG), ...looked('b', 'short'));
    for (const overflow of ['TRUNCATE', 'SUMMARIZE'] as const) {
      const { context } = await built(log, { tokenBudget: 500, overflow, messages: question });
      expect(context.shortenedToolResults).toBe(0);
      expect(context.messages.filter(({ role }) => role === 'TOOL')).toHaveLength(1);
    }
  });

  it('sends the one that is the question whole, or not at all', async () => {
    const log = await stored(says('USER', 'look'), says('ASSISTANT', call('a')));
    const answer = [says('TOOL', result('a', LONG))];
    const { context } = await built(log, { tokenBudget: 1250, messages: answer });
    expect(context).toMatchObject({ shortenedToolResults: 0 });
    expect((await refusal(built(log, { tokenBudget: 900, messages: answer }))).reason).toBe(
      'CONTEXT_OVERFLOW',
    );
  });

  it('sends the call that is answered, or is refused', async () => {
    const log = await stored(says('ASSISTANT', LONG, call('a')), says('USER', 'well?'));
    const answer = [says('TOOL', result('a')), says('USER', 'there it is')];
    expect(told(await built(log, { tokenBudget: 1300, messages: answer })).at(-1)).toBe('USER there it is');
    expect((await refusal(built(log, { tokenBudget: 900, messages: answer }))).reason).toBe(
      'CONTEXT_OVERFLOW',
    );
  });
});

describe('what only helps', () => {
  it('makes way for what has to be sent, the documents first', async () => {
    const log = await stored(says('USER', LONG));
    const system = (['INSIGHTS', 'DOCUMENTS'] as const).map((source) => ({
      source,
      text: 'so it is said. '.repeat(20),
    }));
    const roles = async (tokenBudget: number) =>
      (await built(log, { tokenBudget, system })).context.messages.map(({ source }) => source);
    const whole = (await built(log)).context.tokenCount;
    expect(await roles(whole)).toEqual(['TURN']);
    expect(await roles(whole + 120)).toEqual(['INSIGHTS', 'TURN']);
    expect(await roles(whole + 240)).toEqual(['INSIGHTS', 'DOCUMENTS', 'TURN']);
    expect((await refusal(built(log, { tokenBudget: whole - 1, system }))).reason).toBe('CONTEXT_OVERFLOW');
  });
});
