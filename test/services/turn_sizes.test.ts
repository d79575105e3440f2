import { toBinary } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { describe, expect, it } from 'vitest';
import { Direction, ListTurnsResponseSchema } from '../../gen/parley/v1/chat_service_pb.ts';
import { useParley } from '../harness.ts';
import { failure, refusal } from '../refusal.ts';
import { Follower, getSession, numbers, seqs, sessionWith, textOf, turnsOf, walk } from './turns.ts';

const parley = useParley();
const MEBIBYTE = 1024 * 1024;

/** A line of so many bytes that says which one it is. */
function line(n: number, bytes: number): string {
  return `${n} `.padEnd(bytes, '.');
}

async function sessionWithLarge(turns: number, bytes: number): Promise<string> {
  const sessionId = await sessionWith(parley, 0);
  for (const n of numbers(1, turns))
    await parley.chat.appendTurns({ sessionId, messages: [{ content: line(n, bytes) }] });
  return sessionId;
}

describe('a call of just under 4 MiB', () => {
  it('with one message works, and its turn is listed and followed', async () => {
    const sessionId = await sessionWith(parley, 0);
    const content = line(1, 4 * MEBIBYTE - 1024);
    const { turns } = await parley.chat.appendTurns({ sessionId, messages: [{ content }] });
    expect(textOf(turns[0]!)).toBe(content);
    expect(await turnsOf(parley, sessionId)).toEqual(turns);
    const follower = new Follower(parley, { sessionId });
    expect((await follower.next()).event).toEqual({ case: 'turn', value: turns[0] });
    expect(await follower.take(1)).toEqual(['caught up']);
  });

  it('with bytes that are no text works', async () => {
    const sessionId = await sessionWith(parley, 0);
    const value = new Uint8Array(4 * MEBIBYTE - 1024).map((_, at) => at * 7);
    const image = { case: 'image' as const, value: { source: { case: 'data' as const, value } } };
    await parley.chat.appendTurns({ sessionId, messages: [{ parts: [{ content: image }] }] });
    const [turn] = await turnsOf(parley, sessionId);
    const { content } = turn!.parts[0]!;
    const data = content.case === 'image' ? content.value.source.value : '';
    expect(Buffer.compare(Buffer.from(data as Uint8Array), value)).toBe(0);
  });

  it('with a thousand messages works', async () => {
    const sessionId = await sessionWith(parley, 0);
    const messages = numbers(1, 1000).map((n) => ({ content: line(n, 4000) }));
    const { turns } = await parley.chat.appendTurns({ sessionId, messages });
    expect(turns.map(textOf)).toEqual(messages.map(({ content }) => content));
    expect(await turnsOf(parley, sessionId)).toEqual(turns);
  });
});

describe('RESOURCE_EXHAUSTED is', () => {
  it('a call of more than 4 MiB, and nothing of it is written', async () => {
    const sessionId = await sessionWith(parley, 0);
    const content = line(1, 4 * MEBIBYTE + 1);
    const { code } = await failure(parley.chat.appendTurns({ sessionId, messages: [{ content }] }));
    expect(code).toBe(Code.ResourceExhausted);
    expect(await turnsOf(parley, sessionId)).toEqual([]);
  });

  it('a call whose answer would be more, and nothing of it is written', async () => {
    const sessionId = await sessionWith(parley, 1);
    const before = await getSession(parley, sessionId);
    const messages = numbers(1, 1000).map((n) => ({ content: line(n, 4185) }));
    expect(await refusal(parley.chat.appendTurns({ sessionId, messages }))).toBe(
      'RESOURCE_EXHAUSTED QUOTA_EXCEEDED',
    );
    expect(seqs(await turnsOf(parley, sessionId))).toEqual([1]);
    expect(await getSession(parley, sessionId)).toEqual(before);
  });
});

describe('pages of large turns', () => {
  it.each([Direction.BACKWARD, Direction.FORWARD])(
    'end early, and leave none out: direction %i',
    async (direction) => {
      const sessionId = await sessionWithLarge(11, MEBIBYTE);
      const first = await parley.chat.listTurns({ sessionId, direction });
      expect(seqs(first.turns)).toContain(direction === Direction.FORWARD ? 1 : 11);
      for (let pageToken = '', pages = 0; pages === 0 || pageToken !== ''; pages++) {
        const page = await parley.chat.listTurns({ sessionId, direction, pageToken });
        expect(toBinary(ListTurnsResponseSchema, page).length).toBeLessThan(4 * MEBIBYTE);
        pageToken = page.nextPageToken;
      }
      const turns = await walk(parley, { sessionId, direction });
      expect(turns.map((turn) => [turn.seq, textOf(turn)])).toEqual(
        numbers(1, 11).map((n) => [n, line(n, MEBIBYTE)]),
      );
    },
  );

  it.each([Direction.BACKWARD, Direction.FORWARD])(
    'hold one at least, however large it is: direction %i',
    async (direction) => {
      const sessionId = await sessionWithLarge(3, 4 * MEBIBYTE - 1024);
      expect(seqs(await walk(parley, { sessionId, direction }))).toEqual([1, 2, 3]);
    },
  );

  it.each([
    [10, 250_000],
    [10, 290_000],
    [10, 310_000],
    [10, 350_000],
    [10, 400_000],
    [50, 61_000],
    [50, 62_000],
    [50, 80_000],
  ])('of %i leave none out where turns of %i bytes are about what fits', async (pageSize, bytes) => {
    const sessionId = await sessionWithLarge(pageSize + 3, bytes);
    for (const direction of [Direction.BACKWARD, Direction.FORWARD])
      expect(seqs(await walk(parley, { sessionId, direction, pageSize }))).toEqual(numbers(1, pageSize + 3));
  });

  it('hold small ones between large ones', async () => {
    const sessionId = await sessionWith(parley, 0);
    for (const n of numbers(1, 6)) {
      const messages = [line(n, 1.5 * MEBIBYTE), 'small', 'small'].map((content) => ({ content }));
      await parley.chat.appendTurns({ sessionId, messages });
    }
    for (const direction of [Direction.BACKWARD, Direction.FORWARD])
      expect(seqs(await walk(parley, { sessionId, direction }))).toEqual(numbers(1, 18));
  });
});

it('a follower of more than it reads at once gets every turn', async () => {
  const sessionId = await sessionWithLarge(12, 2 * MEBIBYTE);
  const follower = new Follower(parley, { sessionId });
  for (const n of numbers(1, 12)) {
    const { event } = await follower.next();
    expect(event.case === 'turn' && [event.value.seq, textOf(event.value)]).toEqual([
      n,
      line(n, 2 * MEBIBYTE),
    ]);
  }
  expect(await follower.take(1)).toEqual(['caught up']);
});
