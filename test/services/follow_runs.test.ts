import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Start } from '../../gen/parley/v1/chat_service_pb.ts';
import { type Clients, type Parley, startParley } from '../harness.ts';
import { delta, hanging, text } from '../models/endpoint.ts';
import { Answer, chat, expectWhole, held, told, useEndpoint } from './answers.ts';
import { type FollowAsk, Follower, numbers, say, sessionWith } from './turns.ts';

const { parley, endpoint } = useEndpoint();
let second: Parley;
beforeAll(async () => {
  second = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
});
afterAll(() => second.stop());

const NOW: FollowAsk['from'] = { case: 'start', value: Start.NOW };

/** A follower of turns and answers, what he gets in short: `turn 1`, `started`, `text all that was said`. */
class Listener extends Follower {
  readonly got: string[] = [];

  constructor(clients: Clients, ask: FollowAsk) {
    super(clients, { includeDeltas: true, ...ask });
  }

  /** Takes until something comes, that included; what has come since the last time. */
  async until(line: string): Promise<string[]> {
    const since: string[] = [];
    for (;;) {
      const { event } = await this.next();
      const [got] = event.case === 'runEvent' ? told([event.value]) : [short(event)];
      const goesOn = got!.startsWith('text ') && since.at(-1)?.startsWith('text ');
      if (goesOn) since[since.length - 1] += got!.slice('text '.length);
      else since.push(got!);
      if (since.at(-1) === line) return since;
    }
  }
}

function short(event: Awaited<ReturnType<Follower['next']>>['event']): string {
  if (event.case === 'turn') return `turn ${event.value.seq}`;
  return event.case === 'reset' ? `reset ${event.value.reason}` : event.case!;
}

async function both(sessionId: string, ask: Partial<FollowAsk> = {}): Promise<Listener[]> {
  const listeners = [parley, second].map((server) => new Listener(server, { sessionId, ...ask }));
  for (const listener of listeners) await listener.until('caughtUp');
  return listeners;
}

describe('whoever follows a session with its answers', () => {
  it('hears of a run after what it was asked, and of its end after what it left', async () => {
    const sessionId = await sessionWith(parley, 1);
    const listeners = await both(sessionId);
    endpoint.answersOnce(text('one two'));
    await chat(parley, { sessionId, messages: [{ content: 'a' }, { content: 'b' }] });
    for (const listener of listeners)
      expect(await listener.until('completed STOP')).toEqual([
        'turn 2',
        'turn 3',
        'started',
        'text one two',
        'turn 4',
        'completed STOP',
      ]);
  });

  it('hears of a run that nothing was asked with', async () => {
    const sessionId = await sessionWith(parley, 1);
    const listeners = await both(sessionId);
    for (const seq of numbers(2, 21)) {
      endpoint.answersOnce(text('one two'));
      await chat(parley, { sessionId });
      for (const listener of listeners)
        expect(await listener.until('completed STOP')).toEqual([
          'started',
          'text one two',
          `turn ${seq}`,
          'completed STOP',
        ]);
    }
  });

  it('hears of runs one after the other, however quick they are', async () => {
    const sessionId = await sessionWith(parley, 0);
    const listeners = await both(sessionId);
    const generation = { model: 'echo' };
    for (const n of numbers(1, 10))
      await chat(parley, { sessionId, generation, messages: [{ content: `${n}` }] });
    for (const n of numbers(1, 10))
      for (const listener of listeners)
        expect(await listener.until('completed STOP')).toEqual([
          `turn ${2 * n - 1}`,
          'started',
          `text ${n}`,
          `turn ${2 * n}`,
          'completed STOP',
        ]);
  });

  it('gets the same events as whoever asked', async () => {
    const sessionId = await sessionWith(parley, 0);
    const [listener] = await both(sessionId);
    endpoint.answersOnce(text('word '.repeat(3000)));
    const events = await chat(parley, { sessionId, messages: [{ content: 'x' }] });
    const got = [];
    while (got.length < events.length) {
      const { event } = await listener!.next();
      if (event.case === 'runEvent') got.push(event.value);
    }
    expectWhole(got);
    expect(got).toEqual(events);
  });

  it('and joins in the middle of a run gets it from its first event', async () => {
    const { written, letGo } = held('so far', ' and on');
    endpoint.answersOnce(written);
    const sessionId = await sessionWith(parley, 0);
    const answer = await Answer.to(parley, { sessionId, messages: [{ content: 'x' }] }).heard('so far');
    const early = await both(sessionId);
    const late = await both(sessionId, { from: NOW });
    const again = await both(sessionId, { from: { case: 'cursor', value: early[0]!.cursor } });
    for (const listener of [...early, ...late, ...again])
      expect(await listener.until('text so far')).toEqual(['started', 'text so far']);
    letGo();
    await answer.rest();
    for (const listener of [...early, ...late, ...again])
      expect(await listener.until('completed STOP')).toEqual(['text  and on', 'turn 2', 'completed STOP']);
  });

  it('and comes when it is over hears of its turns only', async () => {
    const sessionId = await sessionWith(parley, 0);
    await chat(parley, { sessionId, messages: [{ content: 'x' }] });
    for (const listener of await both(sessionId)) {
      await say(parley, sessionId, 'y');
      expect((await listener.until('turn 3')).filter((line) => !line.startsWith('turn'))).toEqual([]);
      expect(listener.cursor).not.toBe('');
    }
  });

  it('hears of turns in between where they are', async () => {
    const { written, letGo } = held('so far', ' and on');
    endpoint.answersOnce(written);
    const sessionId = await sessionWith(parley, 0);
    const listeners = await both(sessionId);
    const answer = await Answer.to(parley, { sessionId, messages: [{ content: 'x' }] }).heard('so far');
    for (const listener of listeners) await listener.until('text so far');
    await say(second, sessionId, 'y');
    for (const listener of listeners) expect(await listener.until('turn 2')).toEqual(['turn 2']);
    letGo();
    await answer.rest();
    for (const listener of listeners)
      expect(await listener.until('completed STOP')).toEqual(['text  and on', 'turn 3', 'completed STOP']);
  });

  it('hears that one was cancelled, after what it left', async () => {
    endpoint.answersOnce(hanging([delta({ content: 'so far' })]));
    const sessionId = await sessionWith(parley, 0);
    const listeners = await both(sessionId);
    const answer = await Answer.to(parley, { sessionId, messages: [{ content: 'x' }] }).heard('so far');
    await second.chat.cancelChat({ sessionId, runId: answer.runId });
    for (const listener of listeners)
      expect(await listener.until('cancelled')).toEqual([
        'turn 1',
        'started',
        'text so far',
        'turn 2',
        'cancelled',
      ]);
  });
});

describe('when the log begins anew in the middle of a run, whoever follows', () => {
  it.each<[string, (sessionId: string) => Promise<unknown>]>([
    ['cleared', (sessionId) => second.chat.clearHistory({ sessionId })],
    ['rewound', (sessionId) => second.chat.rewindHistory({ sessionId, toSeq: 0 })],
    ['truncated', (sessionId) => second.sessions.truncateSession({ sessionId })],
  ])('(%s) hears first that it was cancelled, once, and then of the next', async (_, reset) => {
    const sessionId = await sessionWith(parley, 0);
    const listeners = await both(sessionId);
    for (const round of numbers(0, 4)) {
      endpoint.answersOnce(hanging([delta({ content: 'so far' })]));
      await Answer.to(parley, { sessionId, messages: [{ content: 'x' }] }).heard('so far');
      for (const listener of listeners)
        expect(await listener.until('text so far')).toEqual([
          `turn ${3 * round + 1}`,
          'started',
          'text so far',
        ]);
      await reset(sessionId);
      // At once, so that who follows may hear of both together.
      await chat(parley, { sessionId, generation: { model: 'echo' }, messages: [{ content: 'next' }] });
      for (const listener of listeners) {
        const got = await listener.until('completed STOP');
        const turns = got.filter((line) => line.startsWith('turn '));
        expect(turns).toEqual([`turn ${3 * round + 2}`, `turn ${3 * round + 3}`]);
        const others = got.filter((line) => !turns.includes(line) && line !== 'caughtUp');
        expect(others.map((line) => line.replace(/ \d$/, ''))).toEqual([
          'cancelled',
          'reset',
          'started',
          'text next',
          'completed STOP',
        ]);
        expect(got.indexOf('completed STOP')).toBeGreaterThan(got.indexOf(turns[1]!));
      }
    }
  });
});

it('whoever follows without answers gets turns only', async () => {
  const sessionId = await sessionWith(parley, 0);
  const follower = new Follower(parley, { sessionId });
  await follower.catchUp();
  endpoint.answersOnce(text('one two'));
  await chat(parley, { sessionId, messages: [{ content: 'x' }] });
  await say(parley, sessionId, 'y');
  expect(await follower.take(3)).toEqual(['turn 1', 'turn 2', 'turn 3']);
});

it('a run that is told of does not outlive its session', async () => {
  endpoint.answersOnce(hanging([delta({ content: 'so far' })]));
  const sessionId = await sessionWith(parley, 0);
  const listeners = await both(sessionId);
  await Answer.to(parley, { sessionId, messages: [{ content: 'x' }] }).heard('so far');
  for (const listener of listeners) await listener.until('text so far');
  await parley.sessions.deleteSession({ sessionId, permanent: true });
  for (const listener of listeners) await expect(listener.until('never')).rejects.toThrow(/deleted/);
});
