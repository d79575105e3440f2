import { describe, expect, it } from 'vitest';
import { Role, TurnStatus } from '../../gen/parley/v1/content_pb.ts';
import { ParticipantKind, TtlPolicy } from '../../gen/parley/v1/session_service_pb.ts';
import { useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { Answer, chat, chatAbout, getRun, leftTurn, statusOf, told } from './answers.ts';
import { getSession, numbers, seqs, sessionWith, textOf, turnsOf } from './turns.ts';

const parley = useParley();

/** An echo that takes its time. */
const LONG = 'word '.repeat(20_000);

describe('an answer', () => {
  it('begins with what was said, goes on word by word, and ends with the turn it left', async () => {
    const sessionId = await sessionWith(parley, 0);
    const events = await chat(parley, { sessionId, messages: [{ content: 'Hello there, echo' }] });
    expect(told(events)).toEqual(['started', 'text Hello there, echo', 'completed STOP']);
    const [asked, answered] = await turnsOf(parley, sessionId);
    expect(events[0]!.event.value).toMatchObject({ turns: [asked], model: 'echo', participantId: '' });
    expect(leftTurn(events)).toEqual(answered);
    expect(answered).toMatchObject({
      seq: 2,
      role: Role.ASSISTANT,
      model: 'echo',
      runId: events[0]!.runId,
      status: TurnStatus.COMPLETE,
      usage: { inputTokens: 3, outputTokens: 3, totalTokens: 6 },
    });
    expect(textOf(answered!)).toBe('Hello there, echo');
    expect(events.at(-1)!.event.value).toMatchObject({ usage: answered!.usage });
  });

  it('comes to several messages at once, all of them stored before it', async () => {
    const sessionId = await sessionWith(parley, 2);
    const messages = [{ content: 'a' }, { role: Role.SYSTEM, content: 'b' }, { content: 'c' }];
    const events = await chat(parley, { sessionId, messages });
    const turns = await turnsOf(parley, sessionId);
    expect(turns.map(textOf)).toEqual(['1', '2', 'a', 'b', 'c', 'c']);
    expect(events[0]!.event.value).toMatchObject({ turns: turns.slice(2, 5) });
  });

  it('comes to no message: to what is there', async () => {
    const sessionId = await sessionWith(parley, 3);
    const events = await chat(parley, { sessionId });
    expect(told(events)).toEqual(['started', 'text 3', 'completed STOP']);
    expect(events[0]!.event.value).toMatchObject({ turns: [] });
    expect(seqs(await turnsOf(parley, sessionId))).toEqual([1, 2, 3, 4]);
  });

  it('comes to nothing where nothing was said', async () => {
    const sessionId = await sessionWith(parley, 0);
    expect(await refusal(chat(parley, { sessionId }))).toBe('INVALID_ARGUMENT FIELD_INVALID messages');
    expect(seqs(await turnsOf(parley, sessionId))).toEqual([]);
  });

  it('ends with LENGTH where it may say no more', async () => {
    const sessionId = await sessionWith(parley, 0);
    const generation = { maxTokens: 2 };
    const events = await chat(parley, { sessionId, messages: [{ content: 'one two three' }], generation });
    expect(told(events)).toEqual(['started', 'text one two ', 'completed LENGTH']);
  });

  it('counts its tokens, and those of what it was asked', async () => {
    const sessionId = await sessionWith(parley, 0);
    await chatAbout(parley, sessionId, 'hello world');
    await chatAbout(parley, sessionId, 'hello world, '.repeat(50));
    const counts = (await turnsOf(parley, sessionId)).map(({ tokenCount }) => tokenCount);
    expect(counts[0]).toBeGreaterThan(1);
    expect(counts[2]).toBeGreaterThan(100);
    expect(counts[1]).toBe(counts[0]);
    expect(counts[3]).toBe(counts[2]);
  });

  it('has a run of its own each time', async () => {
    const sessionId = await sessionWith(parley, 0);
    const answers = [];
    for (const n of numbers(1, 3))
      answers.push(await chat(parley, { sessionId, messages: [{ content: `${n}` }] }));
    expect(new Set(answers.map(([{ runId } = { runId: '' }]) => runId)).size).toBe(3);
    for (const [first] of answers) {
      expect(statusOf(await getRun(parley, sessionId, first!.runId))).toBe('COMPLETED');
    }
  });
});

describe('the session', () => {
  it('names the run while it answers, and none before and after', async () => {
    const sessionId = await sessionWith(parley, 1);
    expect((await getSession(parley, sessionId)).activeRunId).toBe('');
    const answer = Answer.to(parley, { sessionId, messages: [{ content: LONG }] });
    await answer.next();
    expect(['', answer.runId]).toContain((await getSession(parley, sessionId)).activeRunId);
    await answer.rest();
    expect(await getSession(parley, sessionId)).toMatchObject({
      activeRunId: '',
      turnCount: 3,
      lastTurnSeq: 3,
    });
  });

  it('moves its update time and keeps its etag', async () => {
    const sessionId = await sessionWith(parley, 0);
    const before = await getSession(parley, sessionId);
    await chatAbout(parley, sessionId, 'hello');
    const after = await getSession(parley, sessionId);
    const nanos = ({ seconds, nanos }: { seconds: bigint; nanos: number }) =>
      seconds * 1_000_000_000n + BigInt(nanos);
    expect(nanos(after.updateTime!)).toBeGreaterThan(nanos(before.updateTime!));
    expect(after.etag).toBe(before.etag);
    const [, answered] = await turnsOf(parley, sessionId);
    expect(after.updateTime).toEqual(answered!.createTime);
  });

  it('of a sliding time to live lives from its answer on', async () => {
    const sliding = { ttl: { seconds: 3600n }, ttlPolicy: TtlPolicy.SLIDING };
    const sessionId = await sessionWith(parley, 0, sliding);
    const before = await getSession(parley, sessionId);
    await chatAbout(parley, sessionId, 'hello');
    const after = await getSession(parley, sessionId);
    expect(after.expireTime).not.toEqual(before.expireTime);
    expect(after.expireTime!.seconds).toBe(after.updateTime!.seconds + 3600n);
  });
});

describe('the agent', () => {
  const two = {
    participants: [
      { participantId: 'ann', kind: ParticipantKind.USER },
      { participantId: 'bot', kind: ParticipantKind.AGENT },
      { participantId: 'bob', kind: ParticipantKind.AGENT },
    ],
  };

  it('that answers is the first bound one, and its answers count for it', async () => {
    const sessionId = await sessionWith(parley, 0, two);
    const events = await chat(parley, { sessionId, messages: [{ content: 'x' }] });
    expect(events[0]!.event.value).toMatchObject({ participantId: 'bot' });
    expect(leftTurn(events)).toMatchObject({ participantId: 'bot' });
    expect(await counts(sessionId)).toEqual({ ann: 1, bot: 1, bob: 0 });
  });

  it('that answers is the one that is named', async () => {
    const sessionId = await sessionWith(parley, 0, two);
    const events = await chat(parley, { sessionId, participantId: 'bob', messages: [{ content: 'x' }] });
    expect(leftTurn(events)).toMatchObject({ participantId: 'bob' });
    expect(await getRun(parley, sessionId, events[0]!.runId)).toMatchObject({ participantId: 'bob' });
    expect(await counts(sessionId)).toEqual({ ann: 1, bot: 0, bob: 1 });
  });

  async function counts(sessionId: string): Promise<Record<string, number>> {
    const { participants } = await parley.sessions.listParticipants({ sessionId });
    return Object.fromEntries(participants.map(({ participantId, turnCount }) => [participantId, turnCount]));
  }
});

it('answers in many sessions at once keep to themselves', async () => {
  const sessionIds = await Promise.all(numbers(1, 20).map(() => sessionWith(parley, 0)));
  await Promise.all(
    sessionIds.map(async (sessionId, n) => {
      expect(await chatAbout(parley, sessionId, `I am ${n}`)).toEqual([
        'started',
        `text I am ${n}`,
        'completed STOP',
      ]);
    }),
  );
  for (const [n, sessionId] of sessionIds.entries()) {
    expect((await turnsOf(parley, sessionId)).map(textOf)).toEqual([`I am ${n}`, `I am ${n}`]);
  }
});
