import { describe, expect, it } from 'vitest';
import type { Said } from '../../src/chat/content.ts';
import { NO_RESULT } from '../../src/chat/exchanges.ts';
import { built, call, result, says, stored, told } from './past_turns.ts';

async function prompt(log: Said[], ...messages: Said[]): Promise<string[]> {
  return told(await built(await stored(...log), { messages }));
}

describe('tool calls in a prompt', () => {
  it('are answered by what the request brings', async () => {
    expect(
      await prompt([says('USER', 'look'), says('ASSISTANT', call('a'))], says('TOOL', result('a'))),
    ).toEqual(['USER look', 'ASSISTANT ?a', 'TOOL !a']);
  });

  it('that nobody answered are followed by a result that says so', async () => {
    const log = await stored(
      says('ASSISTANT', call('a'), call('b')),
      says('TOOL', result('b')),
      says('USER', 'hm'),
    );
    const asked = await built(log);
    expect(told(asked)).toEqual(['ASSISTANT ?a ?b', 'TOOL !a missing', 'TOOL !b', 'USER hm']);
    expect(asked.context.messages[1]).toMatchObject({
      seq: 0,
      source: 'TURN',
      parts: [{ kind: 'toolResult', toolCallId: 'a', name: 'look_a', content: NO_RESULT, isError: true }],
    });
  });

  it('get their results right behind them, in their order, whenever those came', async () => {
    expect(
      await prompt([
        says('ASSISTANT', 'wait', call('a'), call('b')),
        says('USER', 'still there?'),
        says('TOOL', result('b'), result('a')),
        says('ASSISTANT', 'done'),
      ]),
    ).toEqual(['ASSISTANT wait ?a ?b', 'TOOL !a', 'TOOL !b', 'USER still there?', 'ASSISTANT done']);
  });

  it('keep the first of two results', async () => {
    const log = await stored(
      says('ASSISTANT', call('a')),
      says('TOOL', result('a', 'first')),
      says('TOOL', result('a', 'again')),
    );
    const { context } = await built(log);
    expect(context.messages.map(({ parts }) => parts[0])).toEqual([call('a'), result('a', 'first')]);
  });

  it('may use an id again', async () => {
    const log = await stored(
      says('ASSISTANT', call('a')),
      says('TOOL', result('a', 'one')),
      says('ASSISTANT', call('a')),
      says('ASSISTANT', call('a')),
      says('TOOL', result('a', 'three')),
    );
    const { context } = await built(log);
    expect(context.messages.map(({ parts: [part] }) => part?.kind === 'toolResult' && part.content)).toEqual([
      false,
      'one',
      false,
      NO_RESULT,
      false,
      'three',
    ]);
  });

  it('with one id in one message are one call', async () => {
    expect(await prompt([says('ASSISTANT', call('a'), call('a')), says('TOOL', result('a'))])).toEqual([
      'ASSISTANT ?a',
      'TOOL !a',
    ]);
  });

  it.each(['{"city": "Par', '', 'null', '[1]', '"x"'])(
    'send no arguments where %j was left of them',
    async (args) => {
      const { context } = await built(await stored(says('ASSISTANT', call('a', args))));
      expect(context.messages[0]?.parts[0]).toEqual(call('a', '{}'));
    },
  );

  it('are the assistant’s alone', async () => {
    expect(
      await prompt([says('USER', 'do', call('a')), says('TOOL', 'no result'), says('USER', call('b'))]),
    ).toEqual(['USER do']);
  });
});

describe('tool results in a prompt', () => {
  it('whose call is nowhere before them are left out', async () => {
    expect(
      await prompt([says('TOOL', result('a')), says('ASSISTANT', call('a')), says('USER', 'hm')]),
    ).toEqual(['ASSISTANT ?a', 'TOOL !a missing', 'USER hm']);
  });

  it('go when their call does, and are told as left out', async () => {
    const page = 'line after line. '.repeat(40);
    const log = await stored(
      says('ASSISTANT', page, call('a')),
      says('TOOL', result('a')),
      says('USER', 'thanks'),
    );
    const asked = await built(log, { tokenBudget: 100 });
    expect(told(asked)).toEqual(['SYSTEM [2 earlier messages were left out]', 'USER thanks']);
    expect(asked.unsummarized).toEqual({ afterSeq: 0, throughSeq: 2 });
  });
});
