import { inspect } from 'node:util';
import pino from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { OpenAiModel } from '../../src/models/openai.ts';
import type { ModelFailed } from '../../src/models/openai_errors.ts';
import { toStatusObject } from '../../src/rpc/status.ts';
import type { JsonObject } from '../../src/structs/json.ts';
import { answerOf, ask, failureOf, HELLO, KEY, textOf } from './asking.ts';
import {
  type Behaviour,
  CUT,
  delta,
  ending,
  type Handler,
  json,
  raw,
  refusal,
  startEndpoint,
  text,
} from './endpoint.ts';

async function failure(behaviour: Handler | Behaviour) {
  const endpoint = await startEndpoint();
  endpoint.answers(behaviour);
  const { error } = await failureOf(answerOf(endpoint));
  return { error, requests: endpoint.requests.length };
}

/** Lets no time pass between attempts. */
const AT_ONCE = { 'retry-after': '0' };

describe('an endpoint that refuses', () => {
  it.each([
    [400, 'MODEL_REFUSED', 'the model endpoint refused the request'],
    [401, 'MODEL_UNAUTHORIZED', "the model endpoint refused the server's credentials"],
    [403, 'MODEL_UNAUTHORIZED', "the model endpoint refused the server's credentials"],
    [404, 'MODEL_NOT_FOUND', 'the model endpoint does not know the model "test"'],
    [413, 'MODEL_REFUSED', 'the model endpoint refused the request'],
    [422, 'MODEL_REFUSED', 'the model endpoint refused the request'],
  ])('with %i is asked once, and it is %s', async (status, reason, message) => {
    const { error, requests } = await failure(refusal(status, AT_ONCE));
    expect(error).toMatchObject({ reason, message });
    expect(requests).toBe(1);
  });

  it.each([
    [408, 'MODEL_TIMEOUT', 'the model endpoint did not answer in time'],
    [409, 'MODEL_REFUSED', 'the model endpoint refused the request'],
    [429, 'MODEL_RATE_LIMITED', 'the model endpoint takes no more requests for now'],
    [500, 'MODEL_UNAVAILABLE', 'the model endpoint does not answer'],
    [503, 'MODEL_UNAVAILABLE', 'the model endpoint does not answer'],
    [529, 'MODEL_UNAVAILABLE', 'the model endpoint does not answer'],
  ])('with %i is asked three times, and then it is %s', async (status, reason, message) => {
    const { error, requests } = await failure(refusal(status, AT_ONCE));
    expect(error).toMatchObject({ reason, message });
    expect(requests).toBe(3);
  });

  it('for a while is asked again when it says', async () => {
    const endpoint = await startEndpoint();
    endpoint.answersOnce(refusal(429, { 'retry-after': '1' }));
    endpoint.answersOnce(refusal(503, { 'retry-after-ms': '10' }));
    endpoint.answers(text('at last'));
    const start = performance.now();
    expect(textOf(await ask(endpoint))).toBe('at last');
    expect(performance.now() - start).toBeGreaterThanOrEqual(1000);
    expect(endpoint.requests.map(({ text }) => text)).toEqual(Array(3).fill(endpoint.requests[0]!.text));
  });

  it.each([
    ['3600', 3_600_000],
    [new Date(Date.now() + 3_600_000).toUTCString(), 3_590_000],
  ])('until much later (%s) is not waited for', async (retryAfter, atLeast) => {
    const start = performance.now();
    const { error, requests } = await failure(refusal(429, { 'retry-after': retryAfter }));
    expect(error.reason).toBe('MODEL_RATE_LIMITED');
    expect(error.context.retryAfterMs).toBeGreaterThanOrEqual(atLeast);
    expect(error.context.retryAfterMs).toBeLessThanOrEqual(3_600_000);
    expect(requests).toBe(1);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it.each([
    { 'retry-after': '1e300' },
    { 'retry-after': '9223372036854775808' },
    { 'retry-after': 'Infinity' },
    { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' },
    { 'retry-after-ms': '1e308' },
    { 'retry-after-ms': 'Infinity' },
  ])('for longer than anybody lives (%j) is believed for a day', async (headers) => {
    const { error, requests } = await failure(refusal(429, headers));
    expect(error.context.retryAfterMs).toBe(24 * 3_600_000);
    expect(requests).toBe(1);
    expect(toStatusObject(error).details).toBe('the model endpoint takes no more requests for now');
  });

  it('at a length that never ends is heard for a while', async () => {
    const endpoint = await startEndpoint();
    async function* endless() {
      for (;;) yield raw('nonsense '.repeat(1000));
    }
    endpoint.answers(() => ({ status: 500, headers: AT_ONCE, written: endless() }));
    const { error } = await failureOf(answerOf(endpoint));
    expect(error.reason).toBe('MODEL_UNAVAILABLE');
    expect(inspect(error.cause)).toContain('nonsense');
    for (const { hungUp } of endpoint.requests) await vi.waitUntil(() => hungUp.aborted);
    expect(endpoint.requests).toHaveLength(3);
  });

  it('until it is paid is asked once', async () => {
    const { error, requests } = await failure(refusal(429, AT_ONCE, { code: 'insufficient_quota' }));
    expect(error.reason).toBe('MODEL_RATE_LIMITED');
    expect(requests).toBe(1);
  });

  it('in the midst of the retries is waited for no longer than for an answer', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(refusal(503, { 'retry-after': '5' }));
    const { error } = await failureOf(answerOf(endpoint, { patience: { firstByte: 100 } }));
    expect(error.reason).toBe('MODEL_TIMEOUT');
    expect(endpoint.requests).toHaveLength(1);
  });
});

it('nobody named, and nobody has a key for, is not asked', async () => {
  const model = new OpenAiModel({ baseUrl: undefined, apiKey: undefined }, () => {});
  const { error } = await failureOf(model.answer(HELLO, { model: 'a' }, new AbortController().signal));
  expect(error).toMatchObject({ reason: 'MODEL_UNAUTHORIZED', code: 'FAILED_PRECONDITION' });
  expect(error.message).toContain('set OPENAI_API_KEY, or OPENAI_BASE_URL');
});

it('that refuses is told of with its own words, its model, and no key', async () => {
  const endpoint = await startEndpoint();
  endpoint.answers(refusal(400, {}, { message: `too long for ${KEY}` }));
  const failed = vi.fn<ModelFailed>();
  const model = new OpenAiModel({ baseUrl: endpoint.url, apiKey: KEY }, failed);
  const { error } = await failureOf(model.answer(HELLO, { model: 'a' }, new AbortController().signal));
  expect(failed.mock.calls).toEqual([[error, 'a']]);
  expect(inspect(error.cause)).toContain('too long for [key]');
});

it('that will refuse again does not say when to come back', async () => {
  const { error } = await failure(refusal(401, { 'retry-after': '1' }));
  expect(error.context.retryAfterMs).toBeUndefined();
});

describe('an error in the place of an answer', () => {
  const cases: [JsonObject, string][] = [
    [{ message: 'slow down', code: 'rate_limit_exceeded' }, 'MODEL_RATE_LIMITED'],
    [{ message: 'a', type: 'insufficient_quota', code: null }, 'MODEL_RATE_LIMITED'],
    [{ message: 'a', code: 429 }, 'MODEL_RATE_LIMITED'],
    [{ message: 'a', code: '502' }, 'MODEL_UNAVAILABLE'],
    [{ message: 'a', code: 'invalid_api_key' }, 'MODEL_UNAUTHORIZED'],
    [{ message: 'a', type: 'authentication_error' }, 'MODEL_UNAUTHORIZED'],
    [{ message: 'a', type: 'invalid_request_error', code: 'model_not_found' }, 'MODEL_NOT_FOUND'],
    [{ message: 'a', type: 'timeout' }, 'MODEL_TIMEOUT'],
    [{ message: 'a', type: 'invalid_request_error', code: 'context_length_exceeded' }, 'MODEL_REFUSED'],
    [{ message: 'a', type: 'server_error', code: null }, 'MODEL_UNAVAILABLE'],
    [{ message: 'a' }, 'MODEL_UNAVAILABLE'],
    [{ message: 'a', type: 'timeout', code: { toString: 1, valueOf: 1 } }, 'MODEL_TIMEOUT'],
    [{ message: 'a', type: { toString: 1 }, code: ['b'] }, 'MODEL_UNAVAILABLE'],
  ];

  it.each(cases)('%j is %s', async (error, reason) => {
    expect((await failure([delta({ content: 'half' }), { error }])).error.reason).toBe(reason);
    expect((await failure(json({ error }))).error.reason).toBe(reason);
  });

  it('may be a mere word', async () => {
    expect((await failure([{ error: 'oops' }])).error.reason).toBe('MODEL_UNAVAILABLE');
  });

  it('may be too deep to be written down', async () => {
    const error = `{"code":"timeout","message":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const { reason } = (await failure([raw(`data: {"error":${error}}\n\n`)])).error;
    expect(reason).toBe('MODEL_TIMEOUT');
  });

  it('comes after what had been said', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers([delta({ content: 'half' }), { error: { message: 'a' } }, ...ending()]);
    const { said } = await failureOf(answerOf(endpoint));
    expect(textOf(said)).toBe('half');
    expect(endpoint.requests).toHaveLength(1);
  });
});

describe('an endpoint that is not there', () => {
  it('is MODEL_UNAVAILABLE', async () => {
    const endpoint = await startEndpoint();
    const { url } = endpoint;
    endpoint.close();
    const model = new OpenAiModel({ baseUrl: url, apiKey: KEY }, () => {});
    const { error } = await failureOf(model.answer(HELLO, { model: 'a' }, new AbortController().signal));
    expect(error).toMatchObject({
      reason: 'MODEL_UNAVAILABLE',
      message: 'the model endpoint does not answer',
    });
    expect(inspect(error.cause)).toContain('ECONNREFUSED');
  });

  it('but comes back is asked again', async () => {
    const endpoint = await startEndpoint();
    endpoint.answersOnce({ status: 'cut', written: [] });
    endpoint.answers(text('here'));
    expect(textOf(await ask(endpoint))).toBe('here');
    expect(endpoint.requests).toHaveLength(2);
  });

  it('once a byte has come is not asked again', async () => {
    const { requests } = await failure([delta({ content: 'half' }), CUT]);
    expect(requests).toBe(1);
  });
});

describe('secrets and words of the endpoint', () => {
  const body = { message: `Incorrect API key provided: ${KEY}. <b>Call us!</b>` };

  it.each<[string, Behaviour]>([
    ['refuses', refusal(401, { 'x-echo': `Bearer ${KEY}` }, body)],
    ['fails in words that are no JSON', { status: 400, written: [{ raw: `<p>${KEY} Call us!</p>` }] }],
    ['fails in the midst', [{ error: body }]],
    ['babbles', [{ raw: `data: ${KEY} Call us!\n\n` }]],
  ])('stay in the cause, and the key is not even there, when it %s', async (_, behaviour) => {
    const { error } = await failure(behaviour);
    expect(error.message).not.toMatch(/Call us|Incorrect/);
    expect(inspect(error.cause)).toContain('Call us!');
    const lines: string[] = [];
    pino({}, { write: (line) => lines.push(line) }).error({ err: error.cause, error }, 'failed');
    for (const shown of [...lines, inspect(error, { depth: 20, showHidden: true }), error.stack]) {
      expect(shown).not.toContain(KEY);
    }
  });

  it('are cut to what one can read', async () => {
    const { error } = await failure(refusal(400, {}, { message: 'long '.repeat(100_000) }));
    expect((error.cause as Error).message.length).toBeLessThanOrEqual(2000);
  });
});
