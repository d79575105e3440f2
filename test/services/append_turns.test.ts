import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Role, type Turn, TurnStatus } from '../../gen/parley/v1/content_pb.ts';
import { newId, type Parley, startParley, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import {
  Follower,
  getSession,
  type MessageInit,
  numbers,
  say,
  seqs,
  seqsOf,
  sessionWith,
  textOf,
  turnsOf,
} from './turns.ts';

const parley = useParley();
const { ASSISTANT, SYSTEM, TOOL, USER } = Role;

async function appended(...messages: MessageInit[]): Promise<Turn[]> {
  const sessionId = await sessionWith(parley, 0);
  return (await parley.chat.appendTurns({ sessionId, messages })).turns;
}

function nanos({ createTime }: Turn): bigint {
  return createTime!.seconds * 1_000_000_000n + BigInt(createTime!.nanos);
}

describe('an append', () => {
  it('numbers what was said from 1, and answers with the turns as they are stored', async () => {
    const sessionId = await sessionWith(parley, 0);
    const first = await say(parley, sessionId, 'hello');
    const second = await say(parley, sessionId, 'you', 'there');
    expect(seqs(first.turns)).toEqual([1]);
    expect(seqs(second.turns)).toEqual([2, 3]);
    expect(second.turns.map(textOf)).toEqual(['you', 'there']);
    expect(await turnsOf(parley, sessionId)).toEqual([...first.turns, ...second.turns]);
  });

  it('fills in what nobody said', async () => {
    const [turn] = await appended({ content: 'hello' });
    expect(turn).toMatchObject({
      seq: 1,
      role: USER,
      participantId: '',
      tokenCount: 5,
      model: '',
      finishReason: 0,
      runId: '',
      status: TurnStatus.COMPLETE,
    });
    expect([turn!.metadata, turn!.usage]).toEqual([undefined, undefined]);
    expect(Math.abs(Number(nanos(turn!) / 1_000_000n) - Date.now())).toBeLessThan(10_000);
  });

  it('keeps role and participant, whether anybody knows the participant or not', async () => {
    const said = [SYSTEM, USER, ASSISTANT, TOOL].map((role, n) => ({ role, participantId: `p:${n}@x` }));
    const turns = await appended(...said.map((who) => ({ ...who, content: 'x' })));
    expect(turns.map(({ role, participantId }) => ({ role, participantId }))).toEqual(said);
  });

  it('puts content before parts', async () => {
    const text = (value: string) => ({ content: { case: 'text' as const, value } });
    const turns = await appended(
      { content: 'a' },
      { parts: [text('b')] },
      { content: 'c', parts: [text('d'), text('e')] },
    );
    expect(turns.map(({ parts }) => parts.map(({ content }) => content.value))).toEqual([
      ['a'],
      ['b'],
      ['c', 'd', 'e'],
    ]);
  });

  it('takes a thousand messages at once, in order', async () => {
    const sessionId = await sessionWith(parley, 1);
    const { turns } = await say(parley, sessionId, ...numbers(2, 1001));
    expect(turns.map((turn) => [turn.seq, textOf(turn)])).toEqual(numbers(2, 1001).map((n) => [n, `${n}`]));
    expect(await turnsOf(parley, sessionId)).toHaveLength(1001);
  });

  it('never gives a turn a time before that of the turn before it', async () => {
    const sessionId = await sessionWith(parley, 0);
    for (let n = 0; n < 20; n++) await say(parley, sessionId, 'a', 'b');
    const times = (await turnsOf(parley, sessionId)).map(nanos);
    expect(times).toEqual(times.toSorted((a, b) => Number(a - b)));
    expect(times.at(-1)).toBeGreaterThan(times[0]!);
  });

  it('answers with the cursor behind the last of its turns', async () => {
    const sessionId = await sessionWith(parley, 3);
    const { cursor } = await say(parley, sessionId, 4, 5);
    await say(parley, sessionId, 6);
    const follower = new Follower(parley, { sessionId, from: { case: 'cursor', value: cursor } });
    expect(await follower.take(2)).toEqual(['turn 6', 'caught up']);
  });

  it('to an absent session is NOT_FOUND and makes none', async () => {
    const sessionId = newId();
    expect(await refusal(say(parley, sessionId, 'x'))).toBe('NOT_FOUND SESSION_NOT_FOUND');
    expect(await refusal(parley.sessions.getSession({ sessionId }))).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });
});

describe('expected_last_seq', () => {
  function sayAfter(sessionId: string, expectedLastSeq: number) {
    return parley.chat.appendTurns({ sessionId, expectedLastSeq, messages: [{ content: 'x' }] });
  }

  it('lets an append through when the log ends there, 0 when it is empty', async () => {
    const sessionId = await sessionWith(parley, 0);
    expect(seqs((await sayAfter(sessionId, 0)).turns)).toEqual([1]);
    expect(seqs((await sayAfter(sessionId, 1)).turns)).toEqual([2]);
  });

  it.each([0, 1, 3, 4_294_967_295])(
    'of %i is ABORTED when the log ends at 2, and nothing is written',
    async (seq) => {
      const sessionId = await sessionWith(parley, 2);
      const before = await getSession(parley, sessionId);
      expect(await refusal(sayAfter(sessionId, seq))).toBe('ABORTED LAST_SEQ_MISMATCH');
      expect(await seqsOf(parley, sessionId)).toEqual([1, 2]);
      expect(await getSession(parley, sessionId)).toEqual(before);
    },
  );

  it('is the last seq that is kept: after a clear 0, after a rewind where it went to', async () => {
    const sessionId = await sessionWith(parley, 5);
    await parley.chat.rewindHistory({ sessionId, toSeq: 3 });
    expect(await refusal(sayAfter(sessionId, 5))).toBe('ABORTED LAST_SEQ_MISMATCH');
    expect(seqs((await sayAfter(sessionId, 3)).turns)).toEqual([6]);
    await parley.chat.clearHistory({ sessionId });
    expect(await refusal(sayAfter(sessionId, 6))).toBe('ABORTED LAST_SEQ_MISMATCH');
    expect(seqs((await sayAfter(sessionId, 0)).turns)).toEqual([7]);
  });

  it('lets one of many who know the same end win', async () => {
    const sessionId = await sessionWith(parley, 2);
    const outcomes = await Promise.allSettled(numbers(1, 8).map(() => sayAfter(sessionId, 2)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3]);
  });
});

describe('many writers, through two servers', () => {
  let second: Parley;
  beforeAll(async () => {
    second = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
  });
  afterAll(() => second.stop());

  it('lose nothing, and each call’s turns stay together', async () => {
    const sessionId = await sessionWith(parley, 0);
    const write = async (writer: number) => {
      const answers = [];
      for (let n = 0; n < 15; n++) {
        const lines = numbers(1, (n % 3) + 1).map((line) => `${writer}/${n}/${line}`);
        answers.push(await say((writer + n) % 2 ? parley : second, sessionId, ...lines));
      }
      return answers;
    };
    const answers = (await Promise.all(numbers(1, 16).map(write))).flat();
    const stored = await turnsOf(second, sessionId);
    expect(seqs(stored)).toEqual(numbers(1, 16 * 30));
    for (const { turns } of answers) {
      const first = turns[0]!.seq;
      expect(turns).toEqual(stored.slice(first - 1, first - 1 + turns.length));
    }
    const times = stored.map(nanos);
    expect(times).toEqual(times.toSorted((a, b) => Number(a - b)));
  });
});
