import { describe, expect, it } from 'vitest';
import type { ParleyError } from '../../src/errors.ts';
import { OpenAiEmbedder } from '../../src/models/openai_embedder.ts';
import { embeddings, vectorOf, vectors } from './embedding.ts';
import { hanging, json, type ModelEndpoint, raw, refusal, startEndpoint } from './endpoint.ts';

const forever = new AbortController().signal;

function embedderAt(endpoint: ModelEndpoint, firstByte = 60_000): OpenAiEmbedder {
  return new OpenAiEmbedder({ baseUrl: endpoint.url, apiKey: 'sk-secret' }, 'small', () => {}, { firstByte });
}

async function reasonOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'none',
    (error: ParleyError) => error.reason,
  );
}

it('a vector for each text, by the place it names', async () => {
  const endpoint = await startEndpoint();
  endpoint.embeds(embeddings);
  const texts = ['a ship', 'a car in a storm'];
  const found = await embedderAt(endpoint).embed(texts, forever);
  expect(found).toEqual(texts.map((text) => Float32Array.from(vectorOf(text))));
  const [request] = endpoint.embeddingRequests;
  expect(request!.body).toEqual({ model: 'small', input: texts, encoding_format: 'float' });
  expect(request!.headers.authorization).toBe('Bearer sk-secret');
});

it('many texts go in several requests', async () => {
  const endpoint = await startEndpoint();
  endpoint.embeds((request) => embeddings(request, (text) => [Number(text), 1]));
  const texts = Array.from({ length: 150 }, (_, n) => `${n}`);
  const found = await embedderAt(endpoint).embed(texts, forever);
  expect(found.map(([first]) => first)).toEqual(texts.map(Number));
  expect(endpoint.embeddingRequests.map(({ body }) => body.input.length)).toEqual([64, 64, 22]);
});

it('a busy endpoint is asked again', async () => {
  const endpoint = await startEndpoint();
  endpoint.embedsOnce(refusal(429, { 'retry-after': '0' }));
  endpoint.embeds(embeddings);
  expect(await embedderAt(endpoint).embed(['x'], forever)).toHaveLength(1);
});

const item = (embedding: unknown, index?: unknown) =>
  ({ embedding, ...(index !== undefined && { index }) }) as never;

describe('an answer that is none', () => {
  it.each([
    ['fewer vectors', vectors([item([1, 2], 0)])],
    ['more vectors', vectors([item([1, 2]), item([1, 2]), item([1, 2])])],
    ['vectors of different dimensions', vectors([item([1, 2]), item([1, 2, 3])])],
    ['two vectors for one text', vectors([item([1, 2], 1), item([1, 2], 1)])],
    ['a vector for no text', vectors([item([1, 2], 0), item([1, 2], 7)])],
    ['a place that is no number', vectors([item([1, 2], 'a'), item([1, 2], 'b')])],
    ['a place that is an object', vectors([item([1, 2], { toString: 1 }), item([1, 2], 1)])],
    ['no numbers', vectors([item(['a', 'b']), item(['a', 'b'])])],
    ['null among the numbers', vectors([item([1, null]), item([1, 2])])],
    ['too large a number', vectors([item([1e300, 1]), item([1, 2])])],
    ['empty vectors', vectors([item([]), item([])])],
    ['no vectors', vectors([null, null] as never)],
    ['something else', json({ hello: 'there' })],
    ['NaN', { written: [raw('{"data":[{"embedding":[NaN]},{"embedding":[1]}]}')] }],
    ['a page', { headers: { 'content-type': 'text/html' }, written: [raw('<html>')] }],
    ['null', { written: [raw('null')] }],
    ['nothing', { written: [] }],
  ])('%s is MODEL_ANSWER_INVALID, and asking again succeeds', async (_, answer) => {
    const endpoint = await startEndpoint();
    endpoint.embedsOnce(answer);
    endpoint.embeds(embeddings);
    const embedder = embedderAt(endpoint);
    expect(await reasonOf(embedder.embed(['a', 'b'], forever))).toBe('MODEL_ANSWER_INVALID');
    expect(await embedder.embed(['a', 'b'], forever)).toHaveLength(2);
  });

  it('another dimension than before is MODEL_ANSWER_INVALID', async () => {
    const endpoint = await startEndpoint();
    endpoint.embedsOnce(embeddings);
    endpoint.embedsOnce((request) => embeddings(request, () => [1, 2, 3]));
    endpoint.embeds(embeddings);
    const embedder = embedderAt(endpoint);
    await embedder.embed(['a'], forever);
    expect(await reasonOf(embedder.embed(['b'], forever))).toBe('MODEL_ANSWER_INVALID');
    expect(await embedder.embed(['b'], forever)).toHaveLength(1);
  });
});

describe('an endpoint that does not answer', () => {
  it('in time is MODEL_TIMEOUT', async () => {
    const endpoint = await startEndpoint();
    endpoint.embeds(hanging());
    expect(await reasonOf(embedderAt(endpoint, 100).embed(['a'], forever))).toBe('MODEL_TIMEOUT');
  });

  it('since it refuses is what the status says', async () => {
    const endpoint = await startEndpoint();
    endpoint.embeds(refusal(401));
    expect(await reasonOf(embedderAt(endpoint).embed(['a'], forever))).toBe('MODEL_UNAUTHORIZED');
  });

  it('is given up when nobody waits any more', async () => {
    const endpoint = await startEndpoint();
    endpoint.embeds(hanging());
    const leave = new AbortController();
    const call = embedderAt(endpoint).embed(['a'], leave.signal);
    await expect.poll(() => endpoint.embeddingRequests.length).toBe(1);
    const reason = new Error('left');
    leave.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expect.poll(() => endpoint.connections()).toBe(0);
  });
});
