import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ActiveRuns } from '../../src/chat/active_runs.ts';
import { EarlyAnswer } from '../../src/chat/early_answer.ts';
import type { Prompt, Prompts } from '../../src/chat/prompts.ts';
import type { RunEnd, RunLog, StartOutcome } from '../../src/chat/run.ts';
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
async function stage({ isIdle = true, waiting = 0 } = {}) {
  const endpoint = await startEndpoint();
  const model = modelAt(endpoint);
  const starts: PromiseWithResolvers<StartOutcome>[] = [];
  const happened: string[] = [];
  const ended = Promise.withResolvers<RunEnd>();
  const log: Partial<RunLog> = {
    lease: 10_000,
    recall: async () => undefined,
    waiting: async () => waiting,
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
    listen: async () => () => {},
  };
  const answer = (signal: AbortSignal) => model.answer(HELLO, { model: 'test' }, signal);
  const prompts: Partial<Prompts> = {
    make: async () =>
      ({ participantId: '', generation: { model: 'test' }, lastTurnSeq: 0, isIdle }) as Prompt,
    answer: (_key, _hold, _prompt, signal) => answer(signal),
    answerEarly: () => new EarlyAnswer(answer),
  };
  const tools = { log: log as RunLog, encoder: runEncoder, prompts: prompts as Prompts };
  const defect = (error: unknown) => happened.push(`defect: ${error}`);
  const count = async (said: readonly unknown[]) => said.map(() => 1);
  const active = new ActiveRuns({ ...tools, count, tell: () => {}, defect }, tools.prompts);
  onTestFinished(() => active.stop(0));
  const starter = new RunStarter({ ...tools, active, ending: {} as RunEnding });
  const ask = {
    generation: {},
    participantId: '',
    concurrency: 'REJECT',
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
  return { endpoint, starts, happened, ended: ended.promise, start, started };
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
