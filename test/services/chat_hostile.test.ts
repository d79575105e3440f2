import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ChatRequestSchema } from '../../gen/parley/v1/chat_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { frame, rawCall, rawRefusal } from '../rpc/wire.ts';
import { Answer, chat, getRun, leftTurn, resume, statusOf, told } from './answers.ts';
import { Follower, getSession, numbers, sessionWith, textOf, turnsOf } from './turns.ts';

const parley = useParley();
const PATH = '/parley.v1.ChatService/Chat';
const MIB = 1024 * 1024;

describe('a question of', () => {
  it('a thousand messages is answered', async () => {
    const sessionId = await sessionWith(parley, 0);
    const messages = numbers(1, 1000).map((n) => ({ content: `${n}` }));
    const events = await chat(parley, { sessionId, messages });
    expect(told(events)).toEqual(['started', 'text 1000', 'completed STOP']);
    expect(events[0]!.event.value).toMatchObject({ turns: { length: 1000 } });
    expect((await getSession(parley, sessionId)).turnCount).toBe(1001);
  });

  it('more is refused', async () => {
    const sessionId = await sessionWith(parley, 0);
    const messages = numbers(1, 1001).map((n) => ({ content: `${n}` }));
    expect(await refusal(chat(parley, { sessionId, messages }))).toBe(
      'INVALID_ARGUMENT FIELD_INVALID messages',
    );
    expect((await getSession(parley, sessionId)).turnCount).toBe(0);
  });

  it('as much as its first event can tell is answered, to followers too', async () => {
    const sessionId = await sessionWith(parley, 0);
    const follower = new Follower(parley, { sessionId, includeDeltas: true });
    await follower.catchUp();
    const generation = { model: 'echo' };
    const events = await chat(parley, { sessionId, generation, messages: [image(4 * MIB - 4200)] });
    expect(told(events)).toEqual(['started', 'text ...', 'completed STOP']);
    for (const expected of ['turn', 'runEvent', 'runEvent'])
      expect((await follower.next()).event.case).toBe(expected);
    follower.cancel();
  });

  it('more than its first event can tell is refused before anything is stored', async () => {
    const sessionId = await sessionWith(parley, 0);
    for (const messages of [[image(4 * MIB - 2000)], [image(2 * MIB), image(2 * MIB - 2000)]])
      expect(await refusal(chat(parley, { sessionId, messages }))).toBe('RESOURCE_EXHAUSTED QUOTA_EXCEEDED');
    const context = parley.chat.getContext({ sessionId, messages: [image(1000)] });
    expect((await context).messages).toHaveLength(1);
    expect(await getSession(parley, sessionId)).toMatchObject({
      turnCount: 0,
      lastTurnSeq: 0,
      activeRunId: '',
    });
  });

  it('which more is said back than an answer may be gets as much as that', async () => {
    const sessionId = await sessionWith(parley, 0, { tokenBudget: 10_000_000 });
    const content = '\u00e9\u{1f600} '.repeat(500_000);
    const events = await chat(parley, { sessionId, messages: [{ content }] });
    expect(told(events).at(-1)).toBe('completed LENGTH');
    const said = String(textOf(leftTurn(events)!));
    expect(content.startsWith(said)).toBe(true);
    expect(Buffer.byteLength(said)).toBeGreaterThan(3 * MIB - 100);
    expect(Buffer.byteLength(said)).toBeLessThanOrEqual(3 * MIB);
    expect((await turnsOf(parley, sessionId)).length).toBe(2);
    expect(await resume(parley, { sessionId, runId: events[0]!.runId })).toEqual(events);
  });
});

describe('what is no question', () => {
  it('is refused as undecodable', async () => {
    for (const bytes of ['ffffff', '0a05', '1a0aff'])
      expect(await rawRefusal(rawCall(parley.port, PATH, frame(Buffer.from(bytes, 'hex'))))).toMatch(
        /^INVALID_ARGUMENT (REQUEST|FIELD)_INVALID/,
      );
  });

  it('with a generation full of nothing is refused by its first wrong field', async () => {
    const sessionId = await sessionWith(parley, 0);
    const nan = Number.NaN;
    const generation = { temperature: nan, topP: nan, presencePenalty: nan, frequencyPenalty: nan };
    expect(await refusal(chat(parley, { sessionId, generation }))).toMatch(
      /^INVALID_ARGUMENT FIELD_INVALID generation/,
    );
  });
});

describe('a client that does not read', () => {
  it('keeps no run from its end, and can come back for all of it', async () => {
    const sessionId = await sessionWith(parley, 0, { tokenBudget: 10_000_000 });
    const content = 'lorem ipsum '.repeat(90_000);
    const requestId = newId();
    const ask = { sessionId, requestId, messages: [{ content }] };
    const body = toBinary(ChatRequestSchema, create(ChatRequestSchema, ask));
    const deaf = rawCall(parley.port, PATH, frame(body));
    deaf.pause();
    await expect
      .poll(async () => (await getSession(parley, sessionId)).turnCount, { timeout: 30_000 })
      .toBe(2);
    const events = await chat(parley, ask);
    expect(textOf(leftTurn(events)!)).toBe(content);
    expect(statusOf(await getRun(parley, sessionId, events[0]!.runId))).toBe('COMPLETED');
    deaf.destroy();
  });

  it('costs little, however many of them there are', async () => {
    const sessionId = await sessionWith(parley, 0, { tokenBudget: 10_000_000 });
    const content = 'lorem ipsum '.repeat(90_000);
    const [{ runId } = { runId: '' }] = await chat(parley, { sessionId, messages: [{ content }] });
    const before = process.memoryUsage().rss;
    const deaf = numbers(1, 40).map(() => Answer.resumed(parley, { sessionId, runId }));
    for (const answer of deaf) await answer.next();
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * MIB);
    for (const answer of deaf) answer.leave();
    expect((await resume(parley, { sessionId, runId })).at(-1)!.event.case).toBe('completed');
  });
});

function image(bytes: number) {
  const value = { source: { case: 'data' as const, value: new Uint8Array(bytes) }, mimeType: 'image/png' };
  return { parts: [{ content: { case: 'image' as const, value } }] };
}
