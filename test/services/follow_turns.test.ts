import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Start } from '../../gen/parley/v1/chat_service_pb.ts';
import { type Clients, newId, type Parley, startParley, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { Follower, followed, inShort, numbers, say, sessionWith, turnsFrom, turnsOf } from './turns.ts';

const parley = useParley();
let second: Parley;
beforeAll(async () => {
  second = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
});
afterAll(() => second.stop());

const NOW = { case: 'start' as const, value: Start.NOW };
const behind = (value: string) => ({ case: 'cursor' as const, value });

describe('a follower', () => {
  it('gets what is there, hears that this is all, and gets what comes', async () => {
    const sessionId = await sessionWith(parley, 3);
    const follower = new Follower(parley, { sessionId });
    expect(await follower.take(4)).toEqual(['turn 1', 'turn 2', 'turn 3', 'caught up']);
    await say(parley, sessionId, 'a', 'b');
    await say(parley, sessionId, 'c');
    expect(await follower.take(3)).toEqual(turnsFrom(4, 6));
  });

  it.each([
    ['nowhere said', undefined],
    ['BEGINNING', Start.BEGINNING],
    ['UNSPECIFIED', Start.UNSPECIFIED],
  ])('begins at the beginning: %s', async (_, value) => {
    const sessionId = await sessionWith(parley, 2);
    const from = value === undefined ? {} : { from: { case: 'start' as const, value } };
    expect(await followed(parley, { sessionId, ...from })).toEqual(['turn 1', 'turn 2', 'caught up']);
  });

  it('from NOW is caught up at once', async () => {
    const sessionId = await sessionWith(parley, 3);
    const follower = new Follower(parley, { sessionId, from: NOW });
    expect(await follower.take(1)).toEqual(['caught up']);
    await say(parley, sessionId, 4);
    expect(await follower.take(1)).toEqual(['turn 4']);
  });

  it('of an empty log is caught up at once', async () => {
    const sessionId = await sessionWith(parley, 0);
    for (const follower of [
      new Follower(parley, { sessionId }),
      new Follower(parley, { sessionId, from: NOW }),
    ])
      expect(await follower.take(1)).toEqual(['caught up']);
  });

  it('gets turns as AppendTurns answered with them', async () => {
    const sessionId = await sessionWith(parley, 0);
    const live = new Follower(parley, { sessionId });
    await live.catchUp();
    const messages = [
      { content: 'a', metadata: { a: null } },
      { role: 3 as const, participantId: 'bot', content: 'b' },
    ];
    const { turns } = await parley.chat.appendTurns({ sessionId, messages });
    const late = new Follower(parley, { sessionId });
    for (const follower of [live, late])
      for (const value of turns) expect((await follower.next()).event).toEqual({ case: 'turn', value });
  });

  it('gets a thousand turns of one append, live and late', async () => {
    const sessionId = await sessionWith(parley, 0);
    const live = new Follower(parley, { sessionId });
    await live.catchUp();
    await say(parley, sessionId, ...numbers(1, 1000));
    expect(await live.take(1000)).toEqual(turnsFrom(1, 1000));
    expect(await followed(parley, { sessionId })).toEqual([...turnsFrom(1, 1000), 'caught up']);
  });

  it('gets 3,000 turns, more than are read at once', async () => {
    const sessionId = await sessionWith(parley, 0);
    for (const n of numbers(0, 2)) await say(parley, sessionId, ...numbers(n * 1000 + 1, n * 1000 + 1000));
    expect(await followed(parley, { sessionId })).toEqual([...turnsFrom(1, 3000), 'caught up']);
  });

  it('is caught up once, however much comes', async () => {
    const sessionId = await sessionWith(parley, 2);
    const follower = new Follower(parley, { sessionId });
    await follower.catchUp();
    for (const n of numbers(3, 30)) await say(parley, sessionId, n);
    expect(await follower.take(28)).toEqual(turnsFrom(3, 30));
  });

  it('who did not read for a while has missed nothing', async () => {
    const sessionId = await sessionWith(parley, 1);
    const follower = new Follower(parley, { sessionId });
    await follower.catchUp();
    const filler = 'x'.repeat(10_000);
    for (const _ of numbers(1, 40)) await say(parley, sessionId, ...Array(20).fill(filler));
    expect(await follower.take(800)).toEqual(turnsFrom(2, 801));
  });

  it('who asks for deltas gets the same as long as nobody answers', async () => {
    const sessionId = await sessionWith(parley, 1);
    expect(await followed(parley, { sessionId, includeDeltas: true })).toEqual(['turn 1', 'caught up']);
  });

  it('is not disturbed by what is not about turns', async () => {
    const sessionId = await sessionWith(parley, 1);
    const follower = new Follower(parley, { sessionId });
    await follower.catchUp();
    await parley.sessions.updateSession({ sessionId, dataPatch: { a: 1 } });
    await parley.configs.patchConfigs({ sessionId, configs: { a: 1 } });
    await parley.chat
      .appendTurns({ sessionId, expectedLastSeq: 7, messages: [{ content: 'x' }] })
      .catch(() => {});
    await say(parley, sessionId, 2);
    expect(await follower.take(1)).toEqual(['turn 2']);
  });
});

describe('the cursor', () => {
  it('of any message leads to exactly the rest', async () => {
    const sessionId = await sessionWith(parley, 3);
    const follower = new Follower(parley, { sessionId });
    const seen: { what: string; cursor: string }[] = [];
    const take = async () => {
      const message = await follower.next();
      expect(message.cursor).not.toBe('');
      seen.push({ what: inShort(message), cursor: message.cursor });
    };
    for (const _ of numbers(1, 4)) await take();
    for (const n of numbers(4, 6)) {
      await say(parley, sessionId, n);
      await take();
    }
    const turns = seen.map(({ what }) => what).filter((what) => what !== 'caught up');
    expect(turns).toEqual(turnsFrom(1, 6));
    for (const { what, cursor } of seen) {
      const passed = what === 'caught up' ? 3 : turns.indexOf(what) + 1;
      const rest = await followed(parley, { sessionId, from: behind(cursor) });
      expect(rest, what).toEqual([...turns.slice(passed), 'caught up']);
    }
  });

  it('is good on every server', async () => {
    const sessionId = await sessionWith(parley, 3);
    const follower = new Follower(parley, { sessionId });
    await follower.take(2);
    expect(await followed(second, { sessionId, from: behind(follower.cursor) })).toEqual([
      'turn 3',
      'caught up',
    ]);
  });

  it('of NOW leads to what came since', async () => {
    const sessionId = await sessionWith(parley, 3);
    const follower = new Follower(parley, { sessionId, from: NOW });
    await follower.catchUp();
    await say(parley, sessionId, 4);
    expect(await followed(parley, { sessionId, from: behind(follower.cursor) })).toEqual([
      'turn 4',
      'caught up',
    ]);
  });

  it('lets somebody who is cut off again and again miss nothing and see nothing twice', async () => {
    const sessionId = await sessionWith(parley, 0);
    const writing = (async () => {
      for (const n of numbers(1, 60)) await say(n % 2 ? parley : second, sessionId, n);
    })();
    const seen: string[] = [];
    for (let cursor = ''; seen.length < 60; ) {
      const from = cursor ? { from: behind(cursor) } : {};
      const follower = new Follower(seen.length % 2 ? parley : second, { sessionId, ...from });
      for (let n = 0; n < 7 && seen.length < 60; n++) {
        const [what] = await follower.take(1);
        if (what !== 'caught up') seen.push(what!);
      }
      ({ cursor } = follower);
      follower.cancel();
    }
    await writing;
    expect(seen).toEqual(turnsFrom(1, 60));
  });
});

describe('many', () => {
  it('followers on one session all get everything', async () => {
    const sessionId = await sessionWith(parley, 5);
    const followers = numbers(1, 200).map((n) => new Follower(n % 2 ? parley : second, { sessionId }));
    const early = followers.map((follower) => follower.take(26));
    for (const n of numbers(6, 25)) await say(n % 2 ? parley : second, sessionId, n);
    for (const messages of await Promise.all(early)) {
      expect(messages.filter((what) => what !== 'caught up')).toEqual(turnsFrom(1, 25));
      expect(messages).toContain('caught up');
    }
    await parley.chat.clearHistory({ sessionId });
    await say(second, sessionId, 26);
    const late = await Promise.all(followers.map((follower) => follower.take(3)));
    for (const [reset, ...rest] of late) {
      expect(reset).toBe('reset CLEARED');
      expect(rest.toSorted()).toEqual(['caught up', 'turn 26']);
    }
    for (const follower of followers) follower.cancel();
  });

  it('followers who begin while others write get everything once', async () => {
    for (let round = 0; round < 10; round++) {
      const sessionId = await sessionWith(parley, 5);
      const write = async (server: Clients) => {
        for (const n of numbers(1, 15)) await say(server, sessionId, n);
      };
      const writing = Promise.all([parley, second, parley, second].map(write));
      const begin = async (n: number) => {
        await sleep(n * 3);
        const follower = new Follower(n % 2 ? parley : second, { sessionId });
        const got = await follower.take(66);
        follower.cancel();
        return got.filter((what) => what !== 'caught up');
      };
      for (const got of await Promise.all(numbers(0, 19).map(begin))) expect(got).toEqual(turnsFrom(1, 65));
      await writing;
    }
  });

  it('writers on two servers are heard in one order by everybody, nothing lost and nothing twice', async () => {
    for (let round = 0; round < 20; round++) {
      const sessionId = await sessionWith(parley, 0);
      const listen = async (server: Clients) => {
        const follower = new Follower(server, { sessionId });
        const heard: unknown[] = [];
        while (heard.length < 80) {
          const { event } = await follower.next();
          if (event.case === 'turn') heard.push(event.value);
          else expect(event.case).toBe('caughtUp');
        }
        follower.cancel();
        return heard;
      };
      const write = async (server: Clients, name: string) => {
        for (const n of numbers(1, 20)) await say(server, sessionId, `${name}${n}`);
      };
      const heard = Promise.all([parley, second, parley, second].map(listen));
      const writers = [write(parley, 'a'), write(second, 'b'), write(parley, 'c'), write(second, 'd')];
      await Promise.all([heard, ...writers]);
      const turns = await turnsOf(parley, sessionId);
      for (const all of await heard) expect(all).toEqual(turns);
    }
  });
});

it('a quiet stream says every 15 seconds that it is alive, and where to go on', async () => {
  const sessionId = await sessionWith(parley, 1);
  const follower = new Follower(parley, { sessionId });
  await follower.catchUp();
  const asked = performance.now();
  const message = await follower.next();
  expect(inShort(message)).toBe('heartbeat');
  expect(performance.now() - asked).toBeGreaterThan(14_000);
  expect(performance.now() - asked).toBeLessThan(20_000);
  await say(parley, sessionId, 2);
  expect(await followed(parley, { sessionId, from: behind(message.cursor) })).toEqual([
    'turn 2',
    'caught up',
  ]);
  expect(await follower.take(1)).toEqual(['turn 2']);
});

it('what is not there cannot be followed', async () => {
  expect(await refusal(followed(parley, { sessionId: newId() }))).toBe('NOT_FOUND SESSION_NOT_FOUND');
  const sessionId = await sessionWith(parley, 1);
  const from = { case: 'start' as const, value: 9 as Start };
  expect(await refusal(followed(parley, { sessionId, from }))).toBe('INVALID_ARGUMENT FIELD_INVALID start');
});
