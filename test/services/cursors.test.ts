import { beforeAll, describe, expect, it } from 'vitest';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { Follower, followed, say, sessionWith } from './turns.ts';

const parley = useParley();

let sessionId: string;
let cursor: string;
beforeAll(async () => {
  sessionId = await sessionWith(parley, 3);
  ({ cursor } = await parley.chat.listTurns({ sessionId }));
});

function follow(value: string, where: { namespace?: string; sessionId: string } = { sessionId }) {
  return followed(parley, { ...where, from: { case: 'cursor', value } });
}

const INVALID = 'INVALID_ARGUMENT CURSOR_INVALID cursor';

describe('a cursor is refused', () => {
  it.each([
    'x',
    '.',
    '0',
    '-1',
    '1-1',
    '{}',
    'null',
    'é',
    '💥',
    '\0',
    ' ',
    '*',
    'AAAA',
    'A'.repeat(256),
    Buffer.from('{"epoch":0,"seq":0}').toString('base64url'),
  ])('that is made up: %j', async (value) => {
    expect(await refusal(follow(value))).toBe(INVALID);
  });

  it('that is cut short, at either end, anywhere', async () => {
    for (let length = 1; length < cursor.length; length++) {
      expect(await refusal(follow(cursor.slice(0, length))), `the first ${length}`).toBe(INVALID);
      expect(await refusal(follow(cursor.slice(-length))), `the last ${length}`).toBe(INVALID);
    }
  });

  it('that is longer, or not as it was written', async () => {
    const others = [`${cursor}x`, `x${cursor}`, `${cursor}=`, ` ${cursor}`, `${cursor}\n`, cursor + cursor];
    others.push(cursor.toUpperCase(), cursor.toLowerCase());
    for (const value of others.filter((other) => other !== cursor))
      expect(await refusal(follow(value)), value).toBe(INVALID);
  });

  it('of which one character is another', async () => {
    for (let at = 0; at < cursor.length; at++) {
      for (const character of 'AaQ0_~') {
        if (cursor[at] === character) continue;
        const altered = cursor.slice(0, at) + character + cursor.slice(at + 1);
        expect(await refusal(follow(altered)), `${altered}, ${at} of ${cursor}`).toBe(INVALID);
      }
    }
  });

  it('that is put together from two', async () => {
    const { cursor: later } = await say(parley, sessionId, 'x');
    expect(later).not.toBe(cursor);
    for (let at = 1; at < Math.min(cursor.length, later.length); at++) {
      const mixed = cursor.slice(0, at) + later.slice(at);
      if (mixed === cursor || mixed === later) continue;
      expect(await refusal(follow(mixed)), mixed).toBe(INVALID);
    }
  });

  it('of another session', async () => {
    const other = await sessionWith(parley, 3);
    expect(await refusal(follow(cursor, { sessionId: other }))).toBe(INVALID);
    const { cursor: theirs } = await parley.chat.listTurns({ sessionId: other });
    expect(await refusal(follow(theirs))).toBe(INVALID);
  });

  it('of another namespace', async () => {
    const namespace = newId();
    await parley.sessions.createSession({ namespace, sessionId });
    expect(await refusal(follow(cursor, { namespace, sessionId }))).toBe(INVALID);
  });

  it('of a session that was forked', async () => {
    const { session } = await parley.sessions.forkSession({ sessionId });
    expect(await refusal(follow(cursor, { sessionId: session!.sessionId }))).toBe(INVALID);
  });

  it('that is a page token', async () => {
    const { nextPageToken } = await parley.chat.listTurns({ sessionId, pageSize: 1 });
    expect(nextPageToken).not.toBe('');
    expect(await refusal(follow(nextPageToken))).toBe(INVALID);
  });

  it('that is longer than any', async () => {
    expect(await refusal(follow('A'.repeat(257)))).toBe('INVALID_ARGUMENT FIELD_INVALID cursor');
  });
});

it('a cursor is one whether the namespace is named or not', async () => {
  const own = await sessionWith(parley, 2);
  const { cursor: here } = await parley.chat.listTurns({ sessionId: own });
  await say(parley, own, 3);
  expect(await follow(here, { namespace: 'default', sessionId: own })).toEqual(['turn 3', 'caught up']);
});

it('a cursor is ASCII that fits where a caller puts it', async () => {
  const follower = new Follower(parley, { sessionId });
  await follower.catchUp();
  for (const value of [cursor, follower.cursor]) expect(value).toMatch(/^[\w.~-]{1,256}$/);
});
