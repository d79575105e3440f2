import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { answerOf, ask, failureOf, HELLO, modelAt, textOf } from './asking.ts';
import { DONE, delta, ending, hanging, raw, refusal, startEndpoint, text } from './endpoint.ts';

describe('an answer nobody wants any more', () => {
  it('is hung up on, and rejects with the reason', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(hanging([delta({ content: 'half' })]));
    const stop = new AbortController();
    const answer = answerOf(endpoint, { signal: stop.signal });
    await answer.next();
    const reason = new Error('cancelled');
    const rest = answer.next();
    stop.abort(reason);
    await expect(rest).rejects.toBe(reason);
    await expect.poll(() => endpoint.requests[0]!.hungUp.aborted).toBe(true);
    await expect.poll(() => endpoint.connections()).toBe(0);
  });

  it.each([
    ['before it is asked for', 0],
    ['before it begins', 50],
  ])('is given up %s', async (_, after) => {
    const endpoint = await startEndpoint();
    endpoint.answers(hanging());
    const stop = new AbortController();
    const reason = new Error('cancelled');
    if (after === 0) stop.abort(reason);
    else void setTimeout(after).then(() => stop.abort(reason));
    await expect(ask(endpoint, { signal: stop.signal })).rejects.toBe(reason);
    expect(endpoint.requests).toHaveLength(after === 0 ? 0 : 1);
    await expect.poll(() => endpoint.connections()).toBe(0);
  });

  it('is given up in the pause before another attempt', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(refusal(503, { 'retry-after': '15' }));
    const stop = new AbortController();
    const reason = new Error('cancelled');
    const answer = ask(endpoint, { signal: stop.signal });
    void expect
      .poll(() => endpoint.requests.length)
      .toBe(1)
      .then(() => stop.abort(reason));
    const start = performance.now();
    await expect(answer).rejects.toBe(reason);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('is given up between two pieces that came together', async () => {
    const endpoint = await startEndpoint();
    const chunk = `data: ${JSON.stringify(delta({ content: 'a' }))}\n\n`;
    endpoint.answers([raw(chunk.repeat(3)), ...ending()]);
    const stop = new AbortController();
    const answer = answerOf(endpoint, { signal: stop.signal });
    await answer.next();
    const reason = new Error('cancelled');
    stop.abort(reason);
    await expect(answer.next()).rejects.toBe(reason);
  });

  it('is hung up on when its reader leaves', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(hanging([delta({ content: 'half' })]));
    for await (const _ of answerOf(endpoint)) break;
    await expect.poll(() => endpoint.requests[0]!.hungUp.aborted).toBe(true);
  });
});

describe('patience', () => {
  it('ends when no answer begins', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(hanging());
    const { error } = await failureOf(answerOf(endpoint, { patience: { firstByte: 100 } }));
    expect(error).toMatchObject({
      reason: 'MODEL_TIMEOUT',
      message: 'the model endpoint did not answer in time',
    });
    await expect.poll(() => endpoint.requests[0]!.hungUp.aborted).toBe(true);
    expect(endpoint.requests).toHaveLength(1);
  });

  it('ends when an answer does not go on', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(hanging([delta({ content: 'half' })]));
    const { error, said } = await failureOf(answerOf(endpoint, { patience: { idle: 100 } }));
    expect(error.reason).toBe('MODEL_TIMEOUT');
    expect(textOf(said)).toBe('half');
    await expect.poll(() => endpoint.requests[0]!.hungUp.aborted).toBe(true);
  });

  it('lasts as long as there are signs of life', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(async function* () {
      for (let i = 0; i < 10; i++) {
        yield raw(': still thinking\n\n');
        await setTimeout(50);
      }
      yield* text('done thinking', 50);
    });
    const patience = { firstByte: 300, idle: 300 };
    expect(textOf(await ask(endpoint, { patience }))).toBe('done thinking');
  });

  it('is not tried by a slow reader', async () => {
    const endpoint = await startEndpoint();
    const words = 'word '.repeat(20);
    endpoint.answers(text(words, 20));
    const answer = answerOf(endpoint, { patience: { idle: 100 } });
    const first = await answer.next();
    await setTimeout(250);
    expect(textOf([first.value, ...(await Array.fromAsync(answer))])).toBe(words);
  });

  it('is not lost by a process that is late itself', async () => {
    const endpoint = await startEndpoint();
    const gate = Promise.withResolvers<void>();
    endpoint.answers(async function* () {
      yield delta({ content: 'in ' });
      await gate.promise;
      yield delta({ content: 'good ' });
      yield* text('time', 20);
    });
    const answer = answerOf(endpoint, { patience: { idle: 200 } });
    await answer.next();
    const rest = Array.fromAsync(answer);
    await setTimeout(100);
    await setImmediate(); // what comes next in this process are timers, and only then sockets
    gate.resolve();
    for (let i = 0; i < 100; i++) await undefined; // by now it is written
    for (const end = performance.now() + 400; performance.now() < end; );
    expect(textOf(await rest)).toBe('good time');
  });
});

describe('connections', () => {
  it('serve one request after the other', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(async function* () {
      yield* text('all');
      await setTimeout(10); // the body ends a little after the answer
    });
    const model = modelAt(endpoint);
    for (let i = 0; i < 5; i++) {
      await Array.fromAsync(model.answer(HELLO, { model: 'a' }, new AbortController().signal));
      await setTimeout(50);
    }
    expect(endpoint.requests).toHaveLength(5);
    expect(await endpoint.connections()).toBe(1);
  });

  it('are as many as there are answers', async () => {
    const endpoint = await startEndpoint();
    const gate = Promise.withResolvers<void>();
    endpoint.answers(async function* ({ body }) {
      yield delta({ content: body.messages[0].content });
      await gate.promise;
      yield* ending();
    });
    const model = modelAt(endpoint);
    const { signal } = new AbortController();
    const answers = Array.from({ length: 500 }, async (_, i) => {
      const parts = [{ kind: 'text' as const, text: `${i}` }];
      return textOf(
        await Array.fromAsync(model.answer([{ role: 'USER', name: '', parts }], { model: 'a' }, signal)),
      );
    });
    await expect.poll(() => endpoint.requests.length, { timeout: 20_000 }).toBe(500);
    expect(await endpoint.connections()).toBe(500);
    gate.resolve();
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`));
  });

  it('that are kept do not keep the process', async () => {
    const endpoint = await startEndpoint();
    const script = `
      const { OpenAiModel } = await import('./src/models/openai.ts');
      const model = new OpenAiModel({ baseUrl: process.env.URL, apiKey: 'a' }, () => {});
      const parts = [{ kind: 'text', text: 'hello' }];
      const { signal } = new AbortController();
      for await (const { text } of model.answer([{ role: 'USER', name: '', parts }], { model: 'a' }, signal))
        process.stdout.write(text ?? '');
      const answered = performance.now();
      process.on('exit', () => process.stdout.write(' ' + (performance.now() - answered < 1500)));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, URL: endpoint.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const out = Array.fromAsync(child.stdout.setEncoding('utf8'));
    await once(child, 'exit');
    expect((await out).join('')).toBe('Hello from the endpoint. true');
  });

  it('are let go when an endpoint keeps them open after the last word', async () => {
    const endpoint = await startEndpoint();
    endpoint.answers(hanging([delta({ content: 'all' }, 'stop'), DONE]));
    const start = performance.now();
    expect(textOf(await ask(endpoint, { patience: { usage: 200 } }))).toBe('all');
    expect(performance.now() - start).toBeLessThan(200);
    await expect.poll(() => endpoint.requests[0]!.hungUp.aborted).toBe(true);
  });
});
