import type { JsonObject } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import type { SearchMode } from '../../gen/parley/v1/document_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';

const parley = useParley();

async function newSession(): Promise<string> {
  const sessionId = newId();
  await parley.sessions.createSession({ sessionId });
  return sessionId;
}

function nested(depth: number): JsonObject {
  return depth === 0 ? {} : { a: nested(depth - 1) };
}

describe('a document that cannot be', () => {
  it.each([
    ['empty', { document: { content: '' } }, 'document.content'],
    ['absent', {}, 'document'],
    ['of more than a MiB', { document: { content: 'é'.repeat(524_289) } }, 'document.content'],
    ['with a long title', { document: { title: 't'.repeat(1025), content: 'x' } }, 'document.title'],
    ['with a bad id', { documentId: '../x', document: { content: 'x' } }, 'document_id'],
    [
      'with two ids',
      { documentId: 'a', document: { documentId: 'b', content: 'x' } },
      'document.document_id',
    ],
    ['with a bad request id', { requestId: '\n', document: { content: 'x' } }, 'request_id'],
    ['with a bad session id', { sessionId: 'a/b', document: { content: 'x' } }, 'session_id'],
    [
      'with metadata without end',
      { document: { content: 'x', metadata: { n: Number.NaN } } },
      'document.metadata["n"]',
    ],
  ])('%s is refused, naming the field', async (_, request, field) => {
    const sessionId = await newSession();
    const call = parley.documents.createDocument({ sessionId, ...request });
    expect(await refusal(call)).toBe(`INVALID_ARGUMENT FIELD_INVALID ${field}`);
    expect((await parley.documents.listDocuments({ sessionId })).documents).toEqual([]);
  });

  it('with metadata too deep or too large is refused', async () => {
    const sessionId = await newSession();
    const create = (metadata: JsonObject) =>
      parley.documents.createDocument({ sessionId, document: { content: 'x', metadata } });
    expect(await refusal(create(nested(40)))).toMatch(/^INVALID_ARGUMENT FIELD_INVALID document.metadata/);
    expect(await refusal(create({ a: 'x'.repeat(70_000) }))).toBe(
      'INVALID_ARGUMENT FIELD_INVALID document.metadata',
    );
    await create(nested(31));
  });

  it('of 4 MiB is refused', async () => {
    const sessionId = await newSession();
    const call = parley.documents.createDocument({
      sessionId,
      document: { content: 'x'.repeat(4 * 1024 * 1024) },
    });
    expect(await refusal(call)).toMatch(/^RESOURCE_EXHAUSTED|^INVALID_ARGUMENT/);
  });
});

it('a document of exactly a MiB is stored, and comes back to a client with default limits', async () => {
  const sessionId = await newSession();
  const content = 'héllo wörld 灯台 '.repeat(60_000).slice(0, 400_000);
  const padded = content + 'x'.repeat(1024 * 1024 - Buffer.byteLength(content));
  await parley.documents.createDocument({ sessionId, documentId: 'd', document: { content: padded } });
  expect((await parley.documents.getDocument({ sessionId, documentId: 'd' })).document!.content).toBe(padded);
  await parley.sessions.deleteSession({ sessionId, permanent: true });
});

describe('a search for', () => {
  const TEXTS = [
    '*',
    '"',
    '\\',
    '|',
    '-',
    '@of:{*}',
    'x} | @of:{other}',
    '@words:*',
    '(storm',
    'storm)=>{$weight: 9}',
    '$word',
    '%storm%',
    "'; FLUSHALL",
    'storm~',
    'st*rm',
    '🌩️🚀',
    '\u0000',
    '灯台',
    '   ',
    '\u200b',
    'the',
  ];
  it.each(TEXTS)('%j is a search for words, and finds nothing of others', async (text) => {
    const sessionId = await newSession();
    const other = await newSession();
    await parley.documents.createDocument({
      sessionId: other,
      document: { content: 'storm other x the 灯台 🚀' },
    });
    expect((await parley.documents.searchDocuments({ sessionId, text })).results).toEqual([]);
  });

  it('ten thousand characters finds what has some of its words', async () => {
    const sessionId = await newSession();
    await parley.documents.createDocument({ sessionId, document: { content: 'A storm came.' } });
    const text = `storm ${'lorem ipsum dolor * " | @x:{y} '.repeat(320)}`;
    expect(text.length).toBeGreaterThan(9900);
    expect((await parley.documents.searchDocuments({ sessionId, text })).results).toHaveLength(1);
  });

  it.each([
    ['nothing', { text: '' }, 'text'],
    ['a book', { text: 'x'.repeat(65_537) }, 'text'],
    ['something in an unknown way', { text: 'x', mode: 99 as SearchMode }, 'mode'],
  ])('%s is refused', async (_, search, field) => {
    const sessionId = await newSession();
    const call = parley.documents.searchDocuments({ sessionId, ...search });
    expect(await refusal(call)).toBe(`INVALID_ARGUMENT FIELD_INVALID ${field}`);
  });

  it('a thousand is given a hundred', async () => {
    const sessionId = await newSession();
    for (let n = 0; n < 120; n++) {
      await parley.documents.createDocument({ sessionId, document: { content: `storm number ${n}` } });
    }
    const count = async (limit: number) =>
      (await parley.documents.searchDocuments({ sessionId, text: 'storm', limit })).results.length;
    expect([await count(1000), await count(0), await count(3)]).toEqual([100, 10, 3]);
  });
});

it.each([
  ['a page token of nobody', { pageToken: 'x.y' }, 'INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token'],
  ['a negative page size', { pageSize: -1 }, 'INVALID_ARGUMENT FIELD_INVALID page_size'],
])('%s is refused', async (_, request, expected) => {
  const sessionId = await newSession();
  expect(await refusal(parley.documents.listDocuments({ sessionId, ...request }))).toBe(expected);
});

it('a session holds a thousand documents, and not one more', async () => {
  const sessionId = await newSession();
  for (let n = 0; n < 1000; n += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        parley.documents.createDocument({ sessionId, documentId: `d${n + at}`, document: { content: 'x' } }),
      ),
    );
  }
  const one = () => parley.documents.createDocument({ sessionId, document: { content: 'x' } });
  expect(await refusal(one())).toBe('RESOURCE_EXHAUSTED QUOTA_EXCEEDED');
  const { documents } = await parley.documents.listDocuments({ sessionId, pageSize: 1000 });
  expect(documents).toHaveLength(1000);
  await parley.documents.deleteDocument({ sessionId, documentId: 'd7' });
  await one();
  await parley.sessions.deleteSession({ sessionId, permanent: true });
});

it('of two that create the same document at once, one does', async () => {
  const sessionId = await newSession();
  const calls = Array.from({ length: 8 }, (_, n) =>
    refusal(
      parley.documents.createDocument({ sessionId, documentId: 'd', document: { content: `w${n}` } }),
    ).catch(() => 'created'),
  );
  const outcomes = await Promise.all(calls);
  expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === 'ALREADY_EXISTS DOCUMENT_ALREADY_EXISTS')).toHaveLength(7);
  const { results } = await parley.documents.searchDocuments({
    sessionId,
    text: `w${outcomes.indexOf('created')}`,
  });
  expect(results).toHaveLength(1);
});
