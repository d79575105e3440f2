import { describe, expect, it } from 'vitest';
import { ContextSource } from '../../gen/parley/v1/chat_service_pb.ts';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { newId } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { chat, useEndpoint } from './answers.ts';
import { getSession, sessionWith } from './turns.ts';

const { parley, endpoint } = useEndpoint();
const { SITUATION, INSTRUCTIONS, TURN } = ContextSource;
const participants = [
  { participantId: 'bot', kind: ParticipantKind.AGENT, instructions: 'Be brief.' },
] as never;

describe('the context', () => {
  it('is what a model would be told, where each of it comes from, and what it takes', async () => {
    const sessionId = await sessionWith(parley, 2, { situation: 'A shop.', participants });
    const context = await parley.chat.getContext({ sessionId, messages: [{ content: 'hello' }] });
    const said = context.messages.map(({ source, seq, parts }) => [source, seq, parts[0]!.content.value]);
    expect(said).toEqual([
      [SITUATION, 0, 'A shop.'],
      [INSTRUCTIONS, 0, 'Be brief.'],
      [TURN, 1, '1'],
      [TURN, 2, '2'],
      [TURN, 0, 'hello'],
    ]);
    for (const { tokenCount } of context.messages) expect(tokenCount).toBeGreaterThan(0);
    expect(context.tokenCount).toBeGreaterThanOrEqual(context.messages.length);
    expect(context.tokenCount).toBeLessThanOrEqual(context.tokenBudget);
    expect(context).toMatchObject({ omittedTurns: 0, summarizedThroughSeq: 0, shortenedToolResults: 0 });
  });

  it('changes nothing, and asks nobody', async () => {
    const sessionId = await sessionWith(parley, 2);
    const before = await getSession(parley, sessionId);
    const asked = endpoint.requests.length;
    await parley.chat.getContext({ sessionId, messages: [{ content: 'hello' }] });
    expect(await getSession(parley, sessionId)).toEqual(before);
    expect(endpoint.requests).toHaveLength(asked);
  });

  it('is what the endpoint then gets', async () => {
    const sessionId = await sessionWith(parley, 2, { situation: 'A shop.' });
    const messages = [{ content: 'hello' }];
    const context = await parley.chat.getContext({ sessionId, messages });
    await chat(parley, { sessionId, messages });
    const sent = endpoint.requests.at(-1)!.body.messages.map(({ content }: { content: string }) => content);
    expect(sent).toEqual(context.messages.map(({ parts }) => parts[0]!.content.value));
  });

  it('leaves out what does not fit, and says how much', async () => {
    const sessionId = await sessionWith(parley, 300, { tokenBudget: 128 });
    const context = await parley.chat.getContext({ sessionId });
    expect(context.tokenBudget).toBe(128);
    expect(context.tokenCount).toBeLessThanOrEqual(128);
    const told = context.messages.filter(({ source }) => source === TURN);
    expect(context.omittedTurns).toBe(300 - told.length);
    expect(told.at(-1)!.seq).toBe(300);
  });
});

it('what Chat refuses, GetContext refuses', async () => {
  const sessionId = await sessionWith(parley, 1, { tokenBudget: 64, participants });
  const ask = (asked: object) => refusal(parley.chat.getContext({ sessionId, ...asked }));
  expect(await ask({ messages: [{ content: 'too much '.repeat(100) }] })).toBe(
    'FAILED_PRECONDITION CONTEXT_OVERFLOW',
  );
  expect(await ask({ participantId: 'eve' })).toBe('NOT_FOUND PARTICIPANT_NOT_FOUND');
  expect(await ask({ messages: [{}] })).toBe('INVALID_ARGUMENT FIELD_INVALID messages[0]');
  expect(await ask({ generation: { temperature: 3 } })).toBe(
    'INVALID_ARGUMENT FIELD_INVALID generation.temperature',
  );
  expect(await ask({ sessionId: newId() })).toBe('NOT_FOUND SESSION_NOT_FOUND');
  await parley.sessions.deleteSession({ sessionId });
  expect(await ask({})).toBe('NOT_FOUND SESSION_DELETED');
});
