import { describe, expect, it } from 'vitest';
import type { Part, Said } from '../../src/chat/content.ts';
import { built, call, result, stored } from './past_turns.ts';

/** What `bot` is sent of a log and a request: who, under which name, what. */
async function heardBy(answering: string, log: Said[], ...messages: Said[]): Promise<unknown[]> {
  const { context } = await built(await stored(...log), { answering, messages });
  return context.messages.map(({ role, name, parts }) => [role, name, parts.map(inWords).join(' | ')]);
}

function inWords(part: Part): string {
  if (part.kind === 'text') return part.text;
  return part.kind === 'toolCall'
    ? `?${part.id}`
    : part.kind === 'toolResult'
      ? `!${part.toolCallId}`
      : part.kind;
}

function agent(participantId: string, ...parts: (Part | string)[]): Said {
  return {
    role: 'ASSISTANT',
    participantId,
    parts: parts.map((part) => (typeof part === 'string' ? { kind: 'text', text: part } : part)),
  };
}

function tool(...parts: Part[]): Said {
  return { role: 'TOOL', participantId: '', parts };
}

describe('what an agent said', () => {
  it('is its own to itself, and somebody else’s words to another', async () => {
    const log = [agent('owl', 'Hoo.'), agent('bot', 'Beep.')];
    expect(await heardBy('bot', log)).toEqual([
      ['USER', 'owl', 'owl: Hoo.'],
      ['ASSISTANT', 'bot', 'Beep.'],
    ]);
    expect(await heardBy('owl', log)).toEqual([
      ['ASSISTANT', 'owl', 'Hoo.'],
      ['USER', 'bot', 'bot: Beep.'],
    ]);
  });

  it('is an assistant’s where nobody in particular answers, or nobody was named', async () => {
    expect(await heardBy('', [agent('owl', 'Hoo.'), agent('bot', 'Beep.')])).toEqual([
      ['ASSISTANT', 'owl', 'Hoo.'],
      ['ASSISTANT', 'bot', 'Beep.'],
    ]);
    expect(await heardBy('bot', [agent('', 'Beep.')])).toEqual([['ASSISTANT', '', 'Beep.']]);
  });

  it('is told in one text, under a name providers take, without its thoughts', async () => {
    const thought: Part = { kind: 'reasoning', text: 'They do not know.' };
    const refused: Part = { kind: 'refusal', text: 'I may not.' };
    expect(await heardBy('bot', [agent('owl@night', thought, 'One.', '', 'Two.', refused)])).toEqual([
      ['USER', 'owl_night', 'owl@night: One.\nTwo.\nI may not.'],
    ]);
    expect(await heardBy('bot', [agent('owl', thought), agent('bot', 'Beep.')])).toEqual([
      ['ASSISTANT', 'bot', 'Beep.'],
    ]);
  });

  it('comes with its pictures', async () => {
    const image: Part = {
      kind: 'image',
      source: { uri: 'https://example.com/i.png' },
      mimeType: '',
      name: '',
    };
    expect(await heardBy('bot', [agent('owl', image)])).toEqual([['USER', 'owl', 'owl: | image']]);
  });
});

describe('the calls of another agent', () => {
  it('are told, their results are not', async () => {
    const log = [agent('owl', 'Let me see.', call('a')), tool(result('a')), agent('owl', 'It rains.')];
    expect(await heardBy('bot', log)).toEqual([
      ['USER', 'owl', 'owl: Let me see.\n[calls look_a]'],
      ['USER', 'owl', 'owl: It rains.'],
    ]);
  });

  it('never lend their results to an own call with the same id', async () => {
    const log = [agent('bot', call('a')), agent('owl', call('a')), tool(result('a', 'owl’s'))];
    const { context } = await built(await stored(...log), { answering: 'bot' });
    expect(context.messages.map(({ role }) => role)).toEqual(['ASSISTANT', 'TOOL', 'USER']);
    expect(context.messages[1]!.parts[0]).toMatchObject({ toolCallId: 'a', isError: true });
  });

  it('are answered in words where the answer is what the request says', async () => {
    expect(await heardBy('bot', [agent('owl', call('a'))], tool(result('a', 'rain')))).toEqual([
      ['USER', 'owl', 'owl: [calls look_a]'],
      ['USER', '', '[result of look_a: rain]'],
    ]);
  });
});
