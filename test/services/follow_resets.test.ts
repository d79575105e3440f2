import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ResetReason, Start } from '../../gen/parley/v1/chat_service_pb.ts';
import type { Turn } from '../../gen/parley/v1/content_pb.ts';
import { type Clients, newId, type Parley, startParley, useParley } from '../harness.ts';
import { forAllAsync } from '../property.ts';
import {
  type FollowAsk,
  Follower,
  followed,
  numbers,
  say,
  sessionWith,
  turnsFrom,
  turnsOf,
} from './turns.ts';

const parley = useParley();
let second: Parley;
beforeAll(async () => {
  second = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
});
afterAll(() => second.stop());

function behind(value: string): NonNullable<FollowAsk['from']> {
  return { case: 'cursor', value };
}

/** What begins the log anew, and what is left of five turns. */
const RESETS: [reason: string, left: number, reset: (sessionId: string) => Promise<unknown>][] = [
  ['CLEARED', 0, (sessionId) => second.chat.clearHistory({ sessionId })],
  ['REWOUND', 3, (sessionId) => second.chat.rewindHistory({ sessionId, toSeq: 3 })],
  ['REWOUND', 0, (sessionId) => second.chat.rewindHistory({ sessionId, toSeq: 0 })],
  ['TRUNCATED', 0, (sessionId) => second.sessions.truncateSession({ sessionId })],
];

describe.each(RESETS)('when the log is %s and %i turns are left', (reason, left, reset) => {
  const anew = [`reset ${reason}`, ...turnsFrom(1, left), 'caught up'];

  it('whoever follows hears of it, gets what is left, and goes on', async () => {
    const sessionId = await sessionWith(parley, 5);
    const followers = [parley, second].map((server) => new Follower(server, { sessionId }));
    for (const follower of followers) await follower.catchUp();
    await reset(sessionId);
    for (const follower of followers) expect(await follower.take(anew.length)).toEqual(anew);
    await say(parley, sessionId, 6);
    for (const follower of followers) expect(await follower.take(1)).toEqual(['turn 6']);
  });

  it('whoever comes back hears of it, wherever he had got to', async () => {
    const sessionId = await sessionWith(parley, 5);
    const follower = new Follower(parley, { sessionId });
    const cursors: string[] = [];
    for (const _ of numbers(1, 6)) {
      await follower.next();
      cursors.push(follower.cursor);
    }
    await reset(sessionId);
    for (const cursor of cursors)
      expect(await followed(parley, { sessionId, from: behind(cursor) })).toEqual(anew);
    await say(parley, sessionId, 6);
    const more = [...anew.slice(0, -1), 'turn 6', 'caught up'];
    for (const cursor of cursors)
      expect(await followed(parley, { sessionId, from: behind(cursor) })).toEqual(more);
  });

  it('whoever begins hears nothing of it', async () => {
    const sessionId = await sessionWith(parley, 5);
    await reset(sessionId);
    expect(await followed(parley, { sessionId })).toEqual(anew.slice(1));
    const from = { case: 'start' as const, value: Start.NOW };
    expect(await followed(parley, { sessionId, from })).toEqual(['caught up']);
  });

  it('a cursor from after it leads to exactly the rest', async () => {
    const sessionId = await sessionWith(parley, 5);
    const follower = new Follower(parley, { sessionId, from: { case: 'start', value: Start.NOW } });
    await follower.catchUp();
    await reset(sessionId);
    for (const passed of numbers(1, anew.length)) {
      await follower.next();
      const rest = anew.slice(passed);
      const expected = rest.length > 0 ? rest : ['caught up'];
      expect(await followed(parley, { sessionId, from: behind(follower.cursor) })).toEqual(expected);
    }
  });
});

describe('the answers of Clear and Rewind', () => {
  it('have a cursor that goes on from there without a reset', async () => {
    const sessionId = await sessionWith(parley, 5);
    const rewound = await parley.chat.rewindHistory({ sessionId, toSeq: 3 });
    await say(parley, sessionId, 6);
    expect(await followed(parley, { sessionId, from: behind(rewound.cursor) })).toEqual([
      'turn 6',
      'caught up',
    ]);
    const cleared = await parley.chat.clearHistory({ sessionId });
    await say(parley, sessionId, 7);
    expect(await followed(parley, { sessionId, from: behind(cleared.cursor) })).toEqual([
      'turn 7',
      'caught up',
    ]);
    expect(await followed(parley, { sessionId, from: behind(rewound.cursor) })).toEqual([
      'reset CLEARED',
      'turn 7',
      'caught up',
    ]);
  });

  it('that change nothing have one too, and nobody hears of them', async () => {
    const sessionId = await sessionWith(parley, 5);
    const follower = new Follower(parley, { sessionId });
    await follower.catchUp();
    for (const toSeq of [5, 6, 4_294_967_295]) {
      const { cursor, removed } = await parley.chat.rewindHistory({ sessionId, toSeq });
      expect(removed).toBe(0);
      expect(await followed(parley, { sessionId, from: behind(cursor) })).toEqual(['caught up']);
    }
    await say(parley, sessionId, 6);
    expect(await follower.take(1)).toEqual(['turn 6']);
    await parley.chat.clearHistory({ sessionId });
    expect(await follower.take(2)).toEqual(['reset CLEARED', 'caught up']);
    const again = await parley.chat.clearHistory({ sessionId });
    await parley.chat.rewindHistory({ sessionId, toSeq: 0 });
    await parley.chat.rewindHistory({ sessionId, toSeq: 3 });
    await say(parley, sessionId, 7);
    expect(await follower.take(1)).toEqual(['turn 7']);
    expect(await followed(parley, { sessionId, from: behind(again.cursor) })).toEqual([
      'turn 7',
      'caught up',
    ]);
  });
});

describe('a cursor', () => {
  it('more than one epoch old gets the reason of the newest', async () => {
    const sessionId = await sessionWith(parley, 5);
    const { cursor } = await parley.chat.listTurns({ sessionId });
    const reasons: string[] = [];
    for (const [, , reset] of [...RESETS, ...RESETS.toReversed()]) {
      await say(parley, sessionId, 'a', 'b', 'c', 'd', 'e');
      await reset(sessionId);
      reasons.push((await followed(parley, { sessionId, from: behind(cursor) }))[0]!);
    }
    const names = [...RESETS, ...RESETS.toReversed()].map(([reason]) => `reset ${reason}`);
    expect(reasons).toEqual(names);
  });

  it.each([0, 2, 9])(
    'of a session that was purged is of an UNKNOWN_EPOCH of one made anew with %i turns',
    async (turns) => {
      const sessionId = await sessionWith(parley, 5);
      const follower = new Follower(parley, { sessionId });
      await follower.next();
      const early = follower.cursor;
      await follower.catchUp();
      await parley.sessions.deleteSession({ sessionId, permanent: true });
      await parley.sessions.createSession({ sessionId });
      if (turns > 0) await say(parley, sessionId, ...numbers(1, turns));
      for (const cursor of [early, follower.cursor])
        expect(await followed(parley, { sessionId, from: behind(cursor) })).toEqual([
          'reset UNKNOWN_EPOCH',
          ...turnsFrom(1, turns),
          'caught up',
        ]);
    },
  );

  it('of a session that was purged is of an UNKNOWN_EPOCH though the new one has epochs of its own', async () => {
    const sessionId = await sessionWith(parley, 5);
    await parley.chat.clearHistory({ sessionId });
    const { cursor } = await say(parley, sessionId, 'x');
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    await parley.sessions.createSession({ sessionId });
    for (const expected of [['turn 1'], ['turn 2'], ['turn 3']]) {
      await parley.chat.clearHistory({ sessionId });
      await say(parley, sessionId, 'x');
      const again = await followed(parley, { sessionId, from: behind(cursor) });
      expect(again).toEqual(['reset UNKNOWN_EPOCH', ...expected, 'caught up']);
    }
  });

  it('of a session that expired is of an UNKNOWN_EPOCH of the next', async () => {
    const sessionId = await sessionWith(parley, 2, { ttl: { seconds: 0n, nanos: 300_000_000 } });
    const follower = new Follower(parley, { sessionId });
    await follower.catchUp();
    expect(await follower.end()).toBe('NOT_FOUND SESSION_DELETED');
    await parley.sessions.createSession({ sessionId });
    expect(await followed(parley, { sessionId, from: behind(follower.cursor) })).toEqual([
      'reset UNKNOWN_EPOCH',
      'caught up',
    ]);
  });
});

describe('a follower’s copy', () => {
  /** Follows, empties its copy at `reset`, is cut off now and then, and stops when it reads `end`. */
  async function copyOf(sessionId: string, servers: Clients[], patience: number): Promise<Turn[]> {
    let copy: Turn[] = [];
    let from: FollowAsk['from'];
    for (let life = 0; ; life++) {
      const follower = new Follower(servers[life % servers.length]!, { sessionId, ...(from && { from }) });
      for (let n = 0; n < patience; n++) {
        const { event, cursor } = await follower.next();
        from = behind(cursor);
        if (event.case === 'reset') {
          expect(event.value.reason).not.toBe(ResetReason.UNKNOWN_EPOCH);
          copy = [];
        }
        if (event.case !== 'turn') continue;
        expect(event.value.seq).toBeGreaterThan(copy.at(-1)?.seq ?? 0);
        copy.push(event.value);
        if (event.value.metadata?.end === true) {
          follower.cancel();
          return copy;
        }
      }
      follower.cancel();
    }
  }

  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ append: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 2, arbitrary: fc.record({ back: fc.integer({ min: 0, max: 6 }) }) },
    { weight: 1, arbitrary: fc.constant({ clear: true }) },
    { weight: 1, arbitrary: fc.constant({ truncate: true }) },
  );

  it('is the log, whatever happened to it and however often he was cut off', async () => {
    await forAllAsync(
      [fc.array(step, { minLength: 5, maxLength: 25 })],
      async (steps) => {
        const sessionId = newId();
        await parley.sessions.createSession({ sessionId });
        const copies = [
          copyOf(sessionId, [parley], 10_000),
          copyOf(sessionId, [second], 10_000),
          copyOf(sessionId, [parley, second], 3),
          copyOf(sessionId, [second, parley], 8),
        ];
        let last = 0;
        for (const [at, event] of steps.entries()) {
          const { chat, sessions } = at % 2 ? parley : second;
          if ('append' in event)
            last = (await say(parley, sessionId, ...numbers(1, event.append))).turns.at(-1)!.seq;
          else if ('back' in event)
            await chat.rewindHistory({ sessionId, toSeq: Math.max(last - event.back, 0) });
          else if ('clear' in event) await chat.clearHistory({ sessionId });
          else await sessions.truncateSession({ sessionId });
        }
        await parley.chat.appendTurns({ sessionId, messages: [{ content: 'end', metadata: { end: true } }] });
        const turns = await turnsOf(parley, sessionId);
        for (const copy of await Promise.all(copies)) expect(copy).toEqual(turns);
      },
      25,
    );
  });
});
