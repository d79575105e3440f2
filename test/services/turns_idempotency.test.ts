import { describe, expect, it } from 'vitest';
import { newId, startParley, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { slowestWhile } from './bystander.ts';
import { getSession, numbers, say, seqs, seqsOf, sessionWith } from './turns.ts';

const parley = useParley();

function append(sessionId: string, requestId: string, content = 'once') {
  return parley.chat.appendTurns({ sessionId, requestId, messages: [{ content }, { content: 'more' }] });
}

describe('an append under a request_id, repeated', () => {
  it.each<[string, (sessionId: string) => Promise<unknown>, number[]]>([
    ['at once', async () => {}, [1, 2, 3]],
    ['after later appends', (sessionId) => say(parley, sessionId, 4, 5), [1, 2, 3, 4, 5]],
    ['after the log was cleared', (sessionId) => parley.chat.clearHistory({ sessionId }), []],
    [
      'after its turns were rewound',
      (sessionId) => parley.chat.rewindHistory({ sessionId, toSeq: 2 }),
      [1, 2],
    ],
    ['after the session was truncated', (sessionId) => parley.sessions.truncateSession({ sessionId }), []],
    [
      'after the log was cleared and written anew',
      async (sessionId) => {
        await parley.chat.clearHistory({ sessionId });
        await say(parley, sessionId, 'a', 'b');
      },
      [4, 5],
    ],
  ])('%s answers with the same turns and cursor, and appends nothing', async (_, meanwhile, kept) => {
    const sessionId = await sessionWith(parley, 1);
    const requestId = newId();
    const first = await append(sessionId, requestId);
    expect(seqs(first.turns)).toEqual([2, 3]);
    await meanwhile(sessionId);
    const before = await getSession(parley, sessionId);
    expect(await append(sessionId, requestId)).toEqual(first);
    expect(await seqsOf(parley, sessionId)).toEqual(kept);
    expect(await getSession(parley, sessionId)).toEqual(before);
  });

  it('after the session was deleted answers the same', async () => {
    const sessionId = await sessionWith(parley, 0);
    const requestId = newId();
    const first = await append(sessionId, requestId);
    await parley.sessions.deleteSession({ sessionId });
    expect(await append(sessionId, requestId)).toEqual(first);
    expect(await refusal(append(sessionId, newId()))).toBe('FAILED_PRECONDITION SESSION_DELETED');
  });

  it('after the session was purged and made anew is a new append', async () => {
    const sessionId = await sessionWith(parley, 3);
    const requestId = newId();
    await append(sessionId, requestId);
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    await parley.sessions.createSession({ sessionId });
    expect(seqs((await append(sessionId, requestId)).turns)).toEqual([1, 2]);
  });

  it('with other messages is refused, and appends nothing', async () => {
    const sessionId = await sessionWith(parley, 0);
    const requestId = newId();
    await append(sessionId, requestId);
    const others = [
      append(sessionId, requestId, 'other'),
      parley.chat.appendTurns({ sessionId, requestId, messages: [{ content: 'once' }] }),
      parley.chat.appendTurns({
        sessionId,
        requestId,
        expectedLastSeq: 0,
        messages: [{ content: 'once' }, { content: 'more' }],
      }),
      parley.chat.appendTurns({
        sessionId,
        requestId,
        messages: [{ content: 'once', metadata: { a: 1 } }, { content: 'more' }],
      }),
    ];
    for (const other of others) expect(await refusal(other)).toBe('INVALID_ARGUMENT REQUEST_ID_REUSED');
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2]);
  });

  it('answers before expected_last_seq is looked at, which it moved itself', async () => {
    const sessionId = await sessionWith(parley, 2);
    const ask = { sessionId, requestId: newId(), expectedLastSeq: 2, messages: [{ content: 'x' }] };
    const first = await parley.chat.appendTurns(ask);
    expect(await parley.chat.appendTurns(ask)).toEqual(first);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3]);
  });

  it('by many at once, through two servers, happens once', async () => {
    const second = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
    const sessionId = await sessionWith(parley, 1);
    const ask = { sessionId, requestId: newId(), messages: [{ content: 'x' }] };
    const answers = await Promise.all(
      numbers(1, 16).map((n) => (n % 2 ? parley : second).chat.appendTurns(ask)),
    );
    await second.stop();
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2]);
  });

  it('of a thousand messages, and of nearly 4 MiB, answers the same', async () => {
    const sessionId = await sessionWith(parley, 0);
    const asks = [numbers(1, 1000).map(String), ['x'.repeat(4 * 1024 * 1024 - 1024)]].map((lines) => ({
      sessionId,
      requestId: newId(),
      messages: lines.map((content) => ({ content })),
    }));
    const first = [];
    for (const ask of asks) first.push(await parley.chat.appendTurns(ask));
    await parley.chat.clearHistory({ sessionId });
    for (const [at, ask] of asks.entries()) expect(await parley.chat.appendTurns(ask)).toEqual(first[at]);
    expect(await seqsOf(parley, sessionId)).toEqual([]);
  });

  it('of nearly 4 MiB that are no text holds nobody up', async () => {
    const [sessionId, other] = [await sessionWith(parley, 0), await sessionWith(parley, 0)];
    const value = new Uint8Array(4 * 1024 * 1024 - 1024).map((_, at) => at * 7);
    const content = { case: 'image' as const, value: { source: { case: 'data' as const, value } } };
    const ask = { sessionId, requestId: newId(), messages: [{ parts: [{ content }] }] };
    for (const _ of ['first', 'again']) {
      const sent = parley.chat.appendTurns(ask);
      expect(await slowestWhile(sent, () => getSession(parley, other))).toBeLessThan(1000);
      expect((await sent).turns).toHaveLength(1);
    }
  });

  it('though it failed before, is done', async () => {
    const sessionId = await sessionWith(parley, 2);
    const ask = { sessionId, requestId: newId(), messages: [{ content: 'x' }] };
    expect(await refusal(parley.chat.appendTurns({ ...ask, expectedLastSeq: 9 }))).toMatch(
      'LAST_SEQ_MISMATCH',
    );
    expect(seqs((await parley.chat.appendTurns(ask)).turns)).toEqual([3]);
  });
});

describe('a clear and a rewind under a request_id, repeated,', () => {
  it('spare what was said since', async () => {
    const sessionId = await sessionWith(parley, 3);
    const clear = { sessionId, requestId: newId() };
    const cleared = await parley.chat.clearHistory(clear);
    await say(parley, sessionId, 4, 5, 6);
    expect(await parley.chat.clearHistory(clear)).toEqual(cleared);
    expect(await seqsOf(parley, sessionId)).toEqual([4, 5, 6]);
    const rewind = { sessionId, toSeq: 5, requestId: newId() };
    const rewound = await parley.chat.rewindHistory(rewind);
    expect(rewound.removed).toBe(1);
    await say(parley, sessionId, 7, 8);
    expect(await parley.chat.rewindHistory(rewind)).toEqual(rewound);
    expect(await seqsOf(parley, sessionId)).toEqual([4, 5, 7, 8]);
  });

  it('are remembered though they changed nothing', async () => {
    const sessionId = await sessionWith(parley, 0);
    const clear = { sessionId, requestId: newId() };
    const rewind = { sessionId, toSeq: 0, requestId: newId() };
    const first = [await parley.chat.clearHistory(clear), await parley.chat.rewindHistory(rewind)];
    await say(parley, sessionId, 1);
    expect([await parley.chat.clearHistory(clear), await parley.chat.rewindHistory(rewind)]).toEqual(first);
    expect(await seqsOf(parley, sessionId)).toEqual([1]);
  });
});

it('a request_id counts for one method', async () => {
  const ask = { sessionId: await sessionWith(parley, 2), requestId: newId() };
  expect(seqs((await parley.chat.appendTurns({ ...ask, messages: [{ content: 'x' }] })).turns)).toEqual([3]);
  expect((await parley.chat.rewindHistory({ ...ask, toSeq: 1 })).removed).toBe(2);
  await parley.chat.clearHistory(ask);
  expect(await seqsOf(parley, ask.sessionId)).toEqual([]);
  await parley.sessions.truncateSession(ask);
  await parley.sessions.forkSession(ask);
});
