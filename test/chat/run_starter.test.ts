import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ActiveRuns } from '../../src/chat/active_runs.ts';
import { EarlyAnswer } from '../../src/chat/early_answer.ts';
import type { Prompt, Prompts } from '../../src/chat/prompts.ts';
import type { Concurrency, PlaceInLine, RunEnd, RunLog, RunNews, StartOutcome } from '../../src/chat/run.ts';
import type { RunEnding } from '../../src/chat/run_ending.ts';
import { RunStarter } from '../../src/chat/run_starter.ts';
import { ParleyError } from '../../src/errors.ts';
import { runEncoder } from '../../src/services/run_encoder.ts';
import { HELLO, modelAt } from '../models/asking.ts';
import { delta, hanging, refusal, startEndpoint, text } from '../models/endpoint.ts';
import { aCaller } from '../session_fixture.ts';

const KEY = { namespace: 'default', sessionId: 's' };
const CALLER = aCaller();

/** A starter before a log that starts a run when the test says so, and with a model at an endpoint. */
async function stage({ isIdle = true, waiting = 0, concurrency = 'REJECT' as Concurrency } = {}) {
  const endpoint = await startEndpoint();
  const model = modelAt(endpoint);
  const starts: PromiseWithResolvers<StartOutcome>[] = [];
  const looks: PromiseWithResolvers<PlaceInLine>[] = [];
  const listeners: ((news: RunNews | undefined) => void)[] = [];
  const made: string[] = [];
  const happened: string[] = [];
  const ended = Promise.withResolvers<RunEnd>();
  const log: Partial<RunLog> = {
    lease: 600_000, // nobody looks just because time passes
    recall: async () => undefined,
    waiting: async () => waiting,
    queue: () => {
      looks.push(Promise.withResolvers());
      return looks.at(-1)!.promise;
    },
    leave: async (_key, ticket) => void happened.push(`${ticket} left`),
    start: () => {
      starts.push(Promise.withResolvers());
      return starts.at(-1)!.promise;
    },
    write: async (_key, _hold, offset, events) => {
      for (const event of events)
        happened.push(...runEncoder.deltas(event).map((said) => `${offset} ${said.kind}`));
      return true;
    },
    finish: async (_key, _hold, end) => {
      happened.push(end.status);
      ended.resolve(end);
      return 'finished';
    },
    listen: async (_key, heard) => {
      listeners.push(heard);
      return () => {};
    },
  };
  const answer = (signal: AbortSignal) => model.answer(HELLO, { model: 'test' }, signal);
  const prompts: Partial<Prompts> = {
    make: async () => {
      made.push('a prompt');
      return { participantId: '', generation: { model: 'test' }, lastTurnSeq: 0, isIdle } as Prompt;
    },
    answer: (_key, _hold, _prompt, signal) => answer(signal),
    answerEarly: () => new EarlyAnswer(answer),
  };
  const tools = { log: log as RunLog, encoder: runEncoder, prompts: prompts as Prompts };
  const defect = (error: unknown) => happened.push(`defect: ${error}`);
  const count = async (said: readonly unknown[]) => said.map(() => 1);
  const active = new ActiveRuns({ ...tools, count, tell: () => {}, defect }, tools.prompts);
  onTestFinished(() => active.stop(0));
  const ending: Partial<RunEnding> = {
    endExpired: async () => void happened.push('an expired run ended'),
  };
  const starter = new RunStarter({ ...tools, active, ending: ending as RunEnding });
  const ask = {
    generation: {},
    participantId: '',
    concurrency,
    cancelWhenLost: false,
    turns: [],
  } as const;
  const start = (runId: string) =>
    starter.start({
      key: KEY,
      runId,
      ask,
      caller: CALLER,
      signal: new AbortController().signal,
      listening: async () => {},
    });
  const started = (runId: string) => ({ kind: 'started', hold: { runId, fence: 1 }, askedSeq: 1 }) as const;
  const hear = (news: RunNews | undefined) => {
    for (const heard of listeners) heard(news);
  };
  return { endpoint, starts, looks, made, hear, happened, ended: ended.promise, start, started };
}

const SOON = { timeout: 5000, interval: 5 };

describe('a run that is about to start', () => {
  it('has its model asked meanwhile, and nothing is written before it has started', async () => {
    const { endpoint, starts, happened, ended, start, started } = await stage();
    endpoint.answers(text('all of it at once'));
    const starting = start('r');
    await expect.poll(() => endpoint.requests.length, SOON).toBe(1);
    await sleep(50); // the model has said all it has to say
    expect(happened).toEqual([]);
    starts[0]!.resolve(started('r'));
    expect(await starting).toBe('r');
    expect((await ended).status).toBe('COMPLETED');
    expect(happened[0]).toBe('2 text');
    expect(happened.slice(1, -1).every((one) => /^\d text$/.test(one))).toBe(true);
    expect(happened.at(-1)).toBe('COMPLETED');
    expect(endpoint.requests).toHaveLength(1);
    expect(endpoint.requests[0]!.hungUp.aborted).toBe(false);
  });

  it.each([
    ['is refused', { kind: 'busy', runId: 'other' }],
    ['was started before', { kind: 'replay', runId: 'other' }],
  ] as const)('hangs up when it %s, and leaves nothing', async (_, outcome) => {
    const { endpoint, starts, happened, start } = await stage();
    endpoint.answers(hanging([delta({ content: 'half' })]));
    const starting = start('r').catch((error: ParleyError) => error.reason);
    await expect.poll(() => endpoint.requests.length, SOON).toBe(1);
    await sleep(20);
    starts[0]!.resolve(outcome);
    expect(await starting).toBe(outcome.kind === 'busy' ? 'RUN_IN_PROGRESS' : 'other');
    await expect.poll(() => endpoint.requests[0]!.hungUp.aborted, SOON).toBe(true);
    await expect.poll(() => endpoint.connections(), SOON).toBe(0);
    expect(happened).toEqual([]);
  });

  it('hangs up when Redis does not say whether it started', async () => {
    const { endpoint, starts, happened, start } = await stage();
    endpoint.answers(hanging());
    const starting = start('r');
    await expect.poll(() => endpoint.requests.length, SOON).toBe(1);
    starts[0]!.reject(new ParleyError('STORAGE_UNAVAILABLE', 'away'));
    await expect(starting).rejects.toThrow('away');
    await expect.poll(() => endpoint.requests[0]!.hungUp.aborted, SOON).toBe(true);
    expect(happened).toEqual([]);
  });

  it('asks nobody when it is refused before the request has left', async () => {
    const { endpoint, starts, start } = await stage();
    const starting = start('r').catch((error: ParleyError) => error.reason);
    while (starts.length === 0) await undefined;
    starts[0]!.resolve({ kind: 'busy', runId: 'other' });
    expect(await starting).toBe('RUN_IN_PROGRESS');
    await sleep(50);
    expect(endpoint.requests).toEqual([]);
  });

  it('starts all the same when its model has failed by then, and fails', async () => {
    const { endpoint, starts, happened, ended, start, started } = await stage();
    endpoint.answers(refusal(401));
    const starting = start('r');
    await expect.poll(() => endpoint.requests.length, SOON).toBe(1);
    await sleep(50);
    expect(happened).toEqual([]);
    starts[0]!.resolve(started('r'));
    expect(await starting).toBe('r');
    expect((await ended).status).toBe('FAILED');
    expect(happened).toEqual(['FAILED']);
  });

  it('is the only one of its session whose model is asked', async () => {
    const { endpoint, starts, ended, start, started } = await stage();
    const first = start('a');
    const second = start('b').catch((error: ParleyError) => error.reason);
    await expect.poll(() => starts.length, SOON).toBe(2);
    await expect.poll(() => endpoint.requests.length, SOON).toBe(1);
    starts[0]!.resolve(started('a'));
    starts[1]!.resolve({ kind: 'busy', runId: 'a' });
    expect(await first).toBe('a');
    expect(await second).toBe('RUN_IN_PROGRESS');
    expect((await ended).status).toBe('COMPLETED');
    expect(endpoint.requests).toHaveLength(1);
  });

  it.each([
    ['another answers', { isIdle: false }],
    ['others wait', { waiting: 1 }],
  ])('asks nobody before it has started when %s', async (_, before) => {
    const { endpoint, starts, ended, start, started } = await stage(before);
    const starting = start('r');
    await expect.poll(() => starts.length, SOON).toBe(1);
    await sleep(50);
    expect(endpoint.requests).toEqual([]);
    starts[0]!.resolve(started('r'));
    await starting;
    expect((await ended).status).toBe('COMPLETED');
    expect(endpoint.requests).toHaveLength(1);
  });
});

describe('a run that has to wait', () => {
  const WAITING = { kind: 'waiting' } as const;
  const ENDED: RunNews = { runId: 'other', offset: 9, frames: undefined, turnSeq: 2 };

  /** One that has looked twice, before and after it began to listen, and waits. */
  async function waiting() {
    const setting = await stage({ concurrency: 'ENQUEUE' });
    const starting = setting.start('r');
    const { looks } = setting;
    /** Answers the look that is under way, once it is. */
    const finds = async (number: number, place: PlaceInLine) => {
      await expect.poll(() => looks.length, SOON).toBe(number);
      looks[number - 1]!.resolve(place);
    };
    await finds(1, WAITING);
    await finds(2, WAITING);
    await sleep(20);
    expect(looks).toHaveLength(2);
    return { ...setting, starting, finds };
  }

  it('makes its prompt when it is its turn, and once', async () => {
    const { looks, made, hear, starts, finds, starting, started, happened, ended } = await waiting();
    for (let offset = 2; offset < 100; offset++)
      hear({ runId: 'other', offset, frames: undefined, turnSeq: undefined });
    await sleep(50);
    expect([looks.length, made]).toEqual([2, []]);
    hear(ENDED);
    await finds(3, { kind: 'free' });
    await expect.poll(() => starts.length, SOON).toBe(1);
    starts[0]!.resolve(started('r'));
    expect(await starting).toBe('r');
    expect(made).toEqual(['a prompt']);
    expect((await ended).status).toBe('COMPLETED');
    expect(happened).not.toContain('r left');
  });

  it.each([
    ['another ended', ENDED],
    ['another started', { runId: 'other', offset: 1, frames: undefined, turnSeq: undefined }],
    ['something may have been missed', undefined],
  ])('looks again when %s, and goes on waiting', async (_, news) => {
    const { looks, made, hear, finds } = await waiting();
    for (let number = 3; number < 6; number++) {
      hear(news);
      await finds(number, WAITING);
    }
    await sleep(20);
    expect([looks.length, made]).toEqual([5, []]);
  });

  it('is the one that the same call started before, and leaves its place', async () => {
    const { made, hear, finds, starting, happened } = await waiting();
    hear(ENDED);
    await finds(3, { kind: 'replay', runId: 'before' });
    expect(await starting).toBe('before');
    expect([made, happened]).toEqual([[], ['r left']]);
  });

  it('ends the one before it whose process has died', async () => {
    const { made, hear, finds, starts, starting, started, happened } = await waiting();
    hear(undefined);
    await finds(3, { kind: 'expired', runId: 'other' });
    await finds(4, { kind: 'free' });
    await expect.poll(() => starts.length, SOON).toBe(1);
    starts[0]!.resolve(started('r'));
    expect(await starting).toBe('r');
    expect([made.length, happened[0]]).toEqual([1, 'an expired run ended']);
  });
});
