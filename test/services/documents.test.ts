import { describe, expect, it } from 'vitest';
import { SearchMode } from '../../gen/parley/v1/document_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { keysOf } from './keys_of.ts';

const parley = useParley();

/** A session of its own. */
async function newSession(): Promise<{ sessionId: string }> {
  const sessionId = newId();
  await parley.sessions.createSession({ sessionId });
  return { sessionId };
}

/** The ids of what a search finds, the best first. */
async function found(key: { namespace?: string; sessionId: string }, text: string): Promise<string[]> {
  const { results } = await parley.documents.searchDocuments({ ...key, text });
  return results.map(({ document }) => document!.documentId);
}

describe('a document', () => {
  it('comes back as it went in', async () => {
    const key = await newSession();
    const content = 'Line one.\n\n\tLine “two” 灯台 🚀\u0000 end.\n';
    const metadata = { kind: 'note', nested: { n: -0.5, none: null }, list: [1, 'a', []] };
    const { document } = await parley.documents.createDocument({
      ...key,
      documentId: 'notes:1',
      document: { title: 'Notes', content, metadata },
    });
    expect(document).toMatchObject({
      documentId: 'notes:1',
      title: 'Notes',
      content,
      metadata,
      chunkCount: 1,
    });
    expect(Number(document!.createTime!.seconds)).toBeCloseTo(Date.now() / 1000, -2);
    const got = await parley.documents.getDocument({ ...key, documentId: 'notes:1' });
    expect(got.document).toEqual(document);
  });

  it('has metadata, if only an empty one', async () => {
    const key = await newSession();
    const { document } = await parley.documents.createDocument({ ...key, document: { content: 'x' } });
    expect(document!.metadata).toEqual({});
    expect(document!.documentId).not.toBe('');
  });

  it('is listed without its content, newest first', async () => {
    const key = await newSession();
    for (const documentId of ['a', 'b', 'c']) {
      await parley.documents.createDocument({
        ...key,
        documentId,
        document: { content: `text ${documentId}` },
      });
    }
    const first = await parley.documents.listDocuments({ ...key, pageSize: 2 });
    expect(first.documents.map(({ documentId }) => documentId)).toEqual(['c', 'b']);
    expect(first.documents.map(({ content }) => content)).toEqual(['', '']);
    const { documents, nextPageToken } = await parley.documents.listDocuments({
      ...key,
      pageToken: first.nextPageToken,
    });
    expect(documents.map(({ documentId }) => documentId)).toEqual(['a']);
    expect(nextPageToken).toBe('');
  });

  it('is listed and found by its metadata, with the containment of everywhere', async () => {
    const key = await newSession();
    const labels = { x: { tags: ['red', 'blue'] }, y: { tags: 'red' }, z: {} };
    for (const [documentId, metadata] of Object.entries(labels)) {
      await parley.documents.createDocument({ ...key, documentId, document: { content: 'same', metadata } });
    }
    const filter = { ...key, metadataFilter: { tags: ['red'] } };
    const { documents } = await parley.documents.listDocuments(filter);
    expect(documents.map(({ documentId }) => documentId)).toEqual(['x']);
    const { results } = await parley.documents.searchDocuments({ ...filter, text: 'same' });
    expect(results.map(({ document }) => document!.documentId)).toEqual(['x']);
    const all = await parley.documents.searchDocuments({ ...key, text: 'same', metadataFilter: {} });
    expect(all.results).toHaveLength(3);
  });

  it('is deleted with all that was made of it', async () => {
    const key = await newSession();
    const bare = (await keysOf(parley, key.sessionId)).length;
    await parley.documents.createDocument({ ...key, documentId: 'gone', document: { content: 'storm' } });
    expect(await found(key, 'storm')).toEqual(['gone']);
    await parley.documents.deleteDocument({ ...key, documentId: 'gone' });
    expect(await found(key, 'storm')).toEqual([]);
    expect(await keysOf(parley, key.sessionId)).toHaveLength(bare);
    const gone = { ...key, documentId: 'gone' };
    expect(await refusal(parley.documents.getDocument(gone))).toBe('NOT_FOUND DOCUMENT_NOT_FOUND');
    expect(await refusal(parley.documents.deleteDocument(gone))).toBe('NOT_FOUND DOCUMENT_NOT_FOUND');
    await parley.documents.deleteDocument({ ...gone, allowMissing: true });
  });

  it('of a taken id is refused, and the first one stays', async () => {
    const key = { ...(await newSession()), documentId: 'one' };
    await parley.documents.createDocument({ ...key, document: { content: 'first' } });
    expect(await refusal(parley.documents.createDocument({ ...key, document: { content: 'second' } }))).toBe(
      'ALREADY_EXISTS DOCUMENT_ALREADY_EXISTS',
    );
    expect((await parley.documents.getDocument(key)).document!.content).toBe('first');
    expect(await found(key, 'second')).toEqual([]);
  });

  it('of many chunks comes back whole, and each of its chunks is found', async () => {
    const key = await newSession();
    const filler = (n: number) =>
      `The keeper of light number ${n} wrote a letter about the weather and the sea. `;
    const parts = Array.from({ length: 6000 }, (_, n) =>
      n === 4321 ? 'A heron named Ulrich slept there. ' : filler(n),
    );
    const content = parts.join('');
    const { document } = await parley.documents.createDocument({ ...key, document: { content } });
    expect(document!.chunkCount).toBeGreaterThan(200);
    const { results } = await parley.documents.searchDocuments({ ...key, text: 'Where did Ulrich sleep?' });
    expect(results[0]!.snippet).toContain('heron named Ulrich');
    expect(results[0]!.chunkIndex).toBeGreaterThan(100);
    expect(results[0]!.snippet.length).toBeLessThan(320);
    const got = await parley.documents.getDocument({ ...key, documentId: document!.documentId });
    expect(got.document!.content).toBe(content);
    const ofDocuments = async () =>
      (await keysOf(parley, key.sessionId)).filter((name) => /:(doc|vector):/.test(name));
    expect(await ofDocuments()).toHaveLength(1);
    await parley.documents.deleteDocument({ ...key, documentId: document!.documentId });
    await expect.poll(ofDocuments).toEqual([]);
  });
});

describe('a repeated call', () => {
  it('creates once, and answers the same', async () => {
    const key = { ...(await newSession()), requestId: newId() };
    const request = { ...key, document: { title: 'T', content: 'once', metadata: { a: 1 } } };
    const first = await parley.documents.createDocument(request);
    expect(await parley.documents.createDocument(request)).toEqual(first);
    expect((await parley.documents.listDocuments(key)).documents).toHaveLength(1);
    expect(
      await refusal(parley.documents.createDocument({ ...request, document: { content: 'other' } })),
    ).toBe('INVALID_ARGUMENT REQUEST_ID_REUSED');
  });

  it('deletes once: what has the id next stays', async () => {
    const key = { ...(await newSession()), documentId: 'd' };
    const request = { ...key, requestId: newId() };
    await parley.documents.createDocument({ ...key, document: { content: 'first' } });
    await parley.documents.deleteDocument(request);
    await parley.documents.createDocument({ ...key, document: { content: 'second' } });
    await parley.documents.deleteDocument(request);
    expect((await parley.documents.getDocument(key)).document!.content).toBe('second');
  });
});

describe('the documents of a session', () => {
  it('are hidden while it is deleted, and back when it is undeleted', async () => {
    const key = await newSession();
    await parley.documents.createDocument({ ...key, documentId: 'd', document: { content: 'storm' } });
    await parley.sessions.deleteSession(key);
    const deleted = 'NOT_FOUND SESSION_DELETED';
    const one = { ...key, documentId: 'd' };
    expect(await refusal(parley.documents.getDocument(one))).toBe(deleted);
    expect(await refusal(parley.documents.listDocuments(key))).toBe(deleted);
    expect(await refusal(parley.documents.searchDocuments({ ...key, text: 'storm' }))).toBe(deleted);
    const refused = 'FAILED_PRECONDITION SESSION_DELETED';
    expect(await refusal(parley.documents.deleteDocument(one))).toBe(refused);
    expect(await refusal(parley.documents.createDocument({ ...key, document: { content: 'x' } }))).toBe(
      refused,
    );
    await parley.sessions.undeleteSession(key);
    expect(await found(key, 'storm')).toEqual(['d']);
    expect((await parley.documents.getDocument(one)).document!.content).toBe('storm');
  });

  it('are gone when it is purged, and do not come back with its id', async () => {
    const key = await newSession();
    await parley.documents.createDocument({ ...key, documentId: 'd', document: { content: 'storm' } });
    await parley.sessions.deleteSession({ ...key, permanent: true });
    const left = await keysOf(parley, key.sessionId);
    expect(left.filter((name) => !name.includes(':ops:'))).toEqual([]);
    await parley.sessions.createSession(key);
    expect(await found(key, 'storm')).toEqual([]);
    expect((await parley.documents.listDocuments(key)).documents).toEqual([]);
  });

  it('outlast a truncation, and are not forked', async () => {
    const key = await newSession();
    await parley.documents.createDocument({ ...key, documentId: 'd', document: { content: 'storm' } });
    await parley.sessions.truncateSession(key);
    expect(await found(key, 'storm')).toEqual(['d']);
    const { session } = await parley.sessions.forkSession(key);
    expect(await found({ sessionId: session!.sessionId }, 'storm')).toEqual([]);
  });

  it('are nobody else’s: not of another session, nor of another tenant’s with the same id', async () => {
    const key = await newSession();
    const other = await newSession();
    const namespace = newId();
    await parley.sessions.createSession({ ...key, namespace });
    await parley.documents.createDocument({ ...key, documentId: 'd', document: { content: 'storm secret' } });
    expect(await found(other, 'storm')).toEqual([]);
    expect(await found({ ...key, namespace }, 'storm')).toEqual([]);
    expect(await refusal(parley.documents.getDocument({ ...key, namespace, documentId: 'd' }))).toBe(
      'NOT_FOUND DOCUMENT_NOT_FOUND',
    );
  });

  it('score the same whatever others store', async () => {
    const key = await newSession();
    await parley.documents.createDocument({
      ...key,
      documentId: 'd',
      document: { content: 'storm and sea' },
    });
    await parley.documents.createDocument({ ...key, documentId: 'e', document: { content: 'sea and calm' } });
    const before = await parley.documents.searchDocuments({ ...key, text: 'storm sea' });
    const other = await newSession();
    for (let n = 0; n < 30; n++) {
      await parley.documents.createDocument({ ...other, document: { content: `storm ${n} `.repeat(n + 1) } });
    }
    const after = await parley.documents.searchDocuments({ ...key, text: 'storm sea' });
    expect(after.results.map(({ score }) => score)).toEqual(before.results.map(({ score }) => score));
  });

  it('need a session', async () => {
    const absent = 'NOT_FOUND SESSION_NOT_FOUND';
    const key = { sessionId: newId() };
    expect(await refusal(parley.documents.createDocument({ ...key, document: { content: 'x' } }))).toBe(
      absent,
    );
    expect(await refusal(parley.documents.searchDocuments({ ...key, text: 'x' }))).toBe(absent);
    expect(await refusal(parley.documents.listDocuments(key))).toBe(absent);
    expect(await refusal(parley.documents.getDocument({ ...key, documentId: 'd' }))).toBe(absent);
  });
});

describe('without an embedding model', () => {
  it('AUTO is TEXT', async () => {
    const key = await newSession();
    expect((await parley.documents.searchDocuments({ ...key, text: 'x' })).mode).toBe(SearchMode.TEXT);
  });

  it.each([SearchMode.VECTOR, SearchMode.HYBRID])('mode %s is refused', async (mode) => {
    const key = await newSession();
    expect(await refusal(parley.documents.searchDocuments({ ...key, text: 'x', mode }))).toBe(
      'FAILED_PRECONDITION EMBEDDINGS_NOT_CONFIGURED',
    );
  });
});
