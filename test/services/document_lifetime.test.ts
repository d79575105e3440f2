import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { TtlPolicy } from '../../gen/parley/v1/session_service_pb.ts';
import { Keys } from '../../src/redis/keys.ts';
import { newId, type Parley, useParley } from '../harness.ts';
import { embeddings } from '../models/embedding.ts';
import { ModelEndpoint } from '../models/endpoint.ts';
import { connected } from '../redis_fixture.ts';
import { refusal } from '../refusal.ts';
import { keysOf } from './keys_of.ts';

// With vectors, so that the index has something to lose.
const endpoint = await new ModelEndpoint().start();
endpoint.embeds(embeddings);
afterAll(() => endpoint.close());
const EMBEDDING = { OPENAI_BASE_URL: endpoint.url, PARLEY_EMBEDDING_MODEL: 'small' };

const parley = useParley(EMBEDDING);
const retaining = useParley({ ...EMBEDDING, PARLEY_DELETED_RETENTION: '400ms' });
const { FIXED, SLIDING } = TtlPolicy;
const LONG = 'The keeper of the light wrote a letter about the weather and the sea. '.repeat(2000);

function span(milliseconds: number) {
  return { seconds: BigInt(Math.floor(milliseconds / 1000)), nanos: (milliseconds % 1000) * 1e6 };
}

async function newSession(server: Parley, session = {}): Promise<string> {
  const sessionId = newId();
  await server.sessions.createSession({ sessionId, session });
  return sessionId;
}

async function gone(server: Parley, sessionId: string): Promise<void> {
  const read = () => refusal(server.documents.listDocuments({ sessionId }));
  await vi.waitFor(async () => expect(await read()).toBe('NOT_FOUND SESSION_NOT_FOUND'), { timeout: 5000 });
}

/** No key, and no entry in the index, is left of a session. */
async function nothingLeft(server: Parley, sessionId: string): Promise<void> {
  await vi.waitFor(async () => expect(await keysOf(server, sessionId)).toEqual([]), { timeout: 5000 });
  // Redis sweeps expired keys up in its own time, and the index with them.
  await vi.waitFor(async () => expect(await entries(server)).toBe(0), { timeout: 10_000 });
}

/** How many vectors the index has. */
async function entries(server: Parley): Promise<number> {
  const redis = await connected(inject('redisUrl'));
  const info = (await redis.call('FT.INFO', new Keys(server.keyPrefix).documentIndex)) as unknown[];
  redis.close();
  return Number(info[info.indexOf('num_docs') + 1]);
}

// What counts tokens takes longer to load than the sessions below live.
beforeAll(async () => {
  const sessionId = await newSession(parley);
  await parley.documents.createDocument({ sessionId, document: { content: 'x' } });
  await parley.sessions.deleteSession({ sessionId, permanent: true });
});

describe('the documents of a session that ends', () => {
  it.each([
    ['FIXED', FIXED],
    ['SLIDING', SLIDING],
  ])('by a ttl that is %s are gone with it', async (_, ttlPolicy) => {
    const sessionId = await newSession(parley, { ttl: span(700), ttlPolicy });
    await parley.documents.createDocument({ sessionId, document: { content: 'storm' } });
    await parley.documents.createDocument({ sessionId, document: { content: LONG } });
    await gone(parley, sessionId);
    await parley.sessions.createSession({ sessionId });
    expect((await parley.documents.searchDocuments({ sessionId, text: 'storm' })).results).toEqual([]);
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    await parley.sessions.createSession({ sessionId, session: { ttl: span(50) } });
    await nothingLeft(parley, sessionId);
  });

  it('by a ttl that came after them', async () => {
    const sessionId = await newSession(parley);
    await parley.documents.createDocument({ sessionId, document: { content: LONG } });
    await parley.sessions.updateSession({ sessionId, session: { ttl: span(600), ttlPolicy: SLIDING } });
    await gone(parley, sessionId);
    await nothingLeft(parley, sessionId);
  });

  it('by its retention after it was deleted', async () => {
    const sessionId = await newSession(retaining);
    await retaining.documents.createDocument({ sessionId, document: { content: LONG } });
    await retaining.sessions.deleteSession({ sessionId });
    await gone(retaining, sessionId);
    await nothingLeft(retaining, sessionId);
  });

  it('by a permanent delete', async () => {
    const sessionId = await newSession(parley);
    await parley.documents.createDocument({ sessionId, document: { content: LONG.repeat(5) } });
    expect(await entries(parley)).toBeGreaterThan(200); // more than are removed at once
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    await parley.sessions.createSession({ sessionId, session: { ttl: span(50) } });
    await nothingLeft(parley, sessionId);
  });
});

describe('documents live on', () => {
  it('while turns keep a sliding session alive', async () => {
    const sessionId = await newSession(parley, { ttl: span(800), ttlPolicy: SLIDING });
    await parley.documents.createDocument({ sessionId, documentId: 'd', document: { content: 'storm' } });
    for (let n = 0; n < 12; n++) {
      await sleep(150);
      await parley.chat.appendTurns({ sessionId, messages: [{ content: 'x' }] });
    }
    const { results } = await parley.documents.searchDocuments({ sessionId, text: 'storm' });
    expect(results).toHaveLength(1);
  });

  it('once a sliding session no longer ends', async () => {
    const sessionId = await newSession(parley, { ttl: span(500), ttlPolicy: SLIDING });
    await parley.documents.createDocument({ sessionId, documentId: 'd', document: { content: 'storm' } });
    await parley.sessions.updateSession({ sessionId, session: {}, updateMask: { paths: ['ttl'] } });
    await sleep(900);
    expect((await parley.documents.searchDocuments({ sessionId, text: 'storm' })).results).toHaveLength(1);
    expect((await parley.documents.getDocument({ sessionId, documentId: 'd' })).document!.content).toBe(
      'storm',
    );
  });

  it('once the session is undeleted, beyond its retention', async () => {
    const sessionId = await newSession(retaining);
    await retaining.documents.createDocument({ sessionId, documentId: 'd', document: { content: 'storm' } });
    await retaining.sessions.deleteSession({ sessionId });
    await retaining.sessions.undeleteSession({ sessionId });
    await sleep(700);
    expect((await retaining.documents.searchDocuments({ sessionId, text: 'storm' })).results).toHaveLength(1);
    await retaining.sessions.deleteSession({ sessionId, permanent: true });
  });
});
