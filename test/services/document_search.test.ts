import { expect, it, onTestFinished } from 'vitest';
import { SearchMode } from '../../gen/parley/v1/document_service_pb.ts';
import { newId, type Parley, startParley } from '../harness.ts';
import { embeddings, vectorOf } from '../models/embedding.ts';
import { type ModelEndpoint, startEndpoint } from '../models/endpoint.ts';
import { refusal } from '../refusal.ts';
import { keysOf } from './keys_of.ts';

async function server(endpoint: ModelEndpoint, settings: NodeJS.ProcessEnv = {}): Promise<Parley> {
  const parley = await startParley({
    OPENAI_BASE_URL: endpoint.url,
    OPENAI_API_KEY: 'sk-test',
    PARLEY_EMBEDDING_MODEL: 'small',
    ...settings,
  });
  onTestFinished(() => parley.stop());
  return parley;
}

async function withEmbeddings(): Promise<{ endpoint: ModelEndpoint; parley: Parley; sessionId: string }> {
  const endpoint = await startEndpoint();
  endpoint.embeds(embeddings);
  const parley = await server(endpoint);
  const sessionId = newId();
  await parley.sessions.createSession({ sessionId });
  return { endpoint, parley, sessionId };
}

const FACTS: Record<string, string> = {
  harbour: 'The old physician left the harbour before the tempest came.',
  garage: 'My aunt acquired a green automobile in the spring.',
  bakery: 'Every morning the bakery sells a warm loaf to the mayor.',
  tower: 'The beacon on Skerry Rock burns whale oil.',
};

/** Prose that has nothing to do with the facts. */
function prose(n: number): string {
  const lines = [
    `Chapter ${n} is about gardens and the price of wool.`,
    'People walked along the river and talked of the harvest.',
    'Nobody remembered who had painted the wooden gate.',
  ];
  return lines.join(' ').repeat(3);
}

async function plant(parley: Parley, sessionId: string): Promise<void> {
  for (let n = 0; n < 20; n++) {
    await parley.documents.createDocument({
      sessionId,
      documentId: `prose-${n}`,
      document: { content: prose(n) },
    });
  }
  for (const [documentId, content] of Object.entries(FACTS)) {
    await parley.documents.createDocument({
      sessionId,
      documentId,
      document: { content: `${prose(99)} ${content}` },
    });
  }
}

it('planted facts: TEXT finds them by their words, VECTOR by their meaning, HYBRID by both', async () => {
  const { parley, sessionId } = await withEmbeddings();
  await plant(parley, sessionId);
  const first = async (text: string, mode: SearchMode) => {
    const { results } = await parley.documents.searchDocuments({ sessionId, text, mode });
    expect(results.map(({ score }) => score)).toEqual(
      results.map(({ score }) => score).sort((a, b) => b - a),
    );
    return results[0]?.document?.documentId;
  };
  const sameWords = {
    'When did the physician leave the harbour?': 'harbour',
    'the green automobile': 'garage',
    'loaf for the mayor': 'bakery',
    'whale oil at Skerry Rock': 'tower',
  };
  const otherWords = {
    'a doctor and a hurricane': 'harbour',
    'who bought a vehicle': 'garage',
    baguette: 'bakery',
    pharos: 'tower',
  };
  for (const [text, fact] of Object.entries(sameWords)) {
    expect([text, await first(text, SearchMode.TEXT)]).toEqual([text, fact]);
    expect([text, await first(text, SearchMode.HYBRID)]).toEqual([text, fact]);
  }
  for (const [text, fact] of Object.entries(otherWords)) {
    expect([text, await first(text, SearchMode.TEXT)]).not.toEqual([text, fact]);
    expect([text, await first(text, SearchMode.VECTOR)]).toEqual([text, fact]);
    expect([text, await first(text, SearchMode.HYBRID)]).toEqual([text, fact]);
  }
});

it('AUTO is HYBRID', async () => {
  const { parley, sessionId } = await withEmbeddings();
  await parley.documents.createDocument({ sessionId, document: { content: 'a ship' } });
  const { mode, results } = await parley.documents.searchDocuments({ sessionId, text: 'vessel' });
  expect([mode, results.length]).toEqual([SearchMode.HYBRID, 1]);
});

it('VECTOR scores are cosines, and a metadata filter counts', async () => {
  const { parley, sessionId } = await withEmbeddings();
  for (const [documentId, content] of Object.entries({ near: 'ship', mixed: 'ship storm', far: 'bread' })) {
    const document = { content, metadata: { near: documentId !== 'mixed' } };
    await parley.documents.createDocument({ sessionId, documentId, document });
  }
  const search = { sessionId, text: 'vessel', mode: SearchMode.VECTOR };
  const { results } = await parley.documents.searchDocuments(search);
  expect(results.slice(0, 2).map(({ document }) => document!.documentId)).toEqual(['near', 'mixed']);
  expect(results[0]!.score).toBeCloseTo(1, 3);
  expect(results[1]!.score).toBeCloseTo(Math.SQRT1_2, 3);
  const filtered = await parley.documents.searchDocuments({ ...search, metadataFilter: { near: true } });
  expect(filtered.results.map(({ document }) => document!.documentId)).toEqual(['near', 'far']);
});

it('vectors that cannot be made leave nothing behind, and a retry completes', async () => {
  const { endpoint, parley, sessionId } = await withEmbeddings();
  await parley.documents.createDocument({ sessionId, document: { content: 'the first' } });
  const before = await keysOf(parley, sessionId);
  const request = { sessionId, documentId: 'd', requestId: newId(), document: { content: 'a ship' } };
  endpoint.embedsOnce((asked) => embeddings(asked, () => [1, 2]));
  expect(await refusal(parley.documents.createDocument(request))).toBe('UNAVAILABLE MODEL_ANSWER_INVALID');
  expect((await keysOf(parley, sessionId)).sort()).toEqual(before.sort());
  await parley.documents.createDocument(request);
  const asked = endpoint.embeddingRequests.length;
  await parley.documents.createDocument(request);
  expect(endpoint.embeddingRequests.length).toBe(asked); // a retry costs nothing
  const { results } = await parley.documents.searchDocuments({
    sessionId,
    text: 'vessel',
    mode: SearchMode.VECTOR,
  });
  expect(results[0]!.document!.documentId).toBe('d');
});

it('whoever gives up while vectors are made has stored nothing', async () => {
  const { endpoint, parley, sessionId } = await withEmbeddings();
  const gate = Promise.withResolvers<void>();
  endpoint.embedsOnce(() => ({
    headers: { 'content-type': 'application/json' },
    written: (async function* () {
      await gate.promise;
      yield { raw: '{}' };
    })(),
  }));
  const call = parley.documents.createDocument({ sessionId, document: { content: 'x' } }, { timeoutMs: 300 });
  expect(await refusal(call)).toMatch('DEADLINE_EXCEEDED');
  gate.resolve();
  expect((await parley.documents.listDocuments({ sessionId })).documents).toEqual([]);
});

it('another model, or dimension, searches its own vectors, and by words all documents', async () => {
  const { endpoint, parley, sessionId } = await withEmbeddings();
  await parley.documents.createDocument({
    sessionId,
    documentId: 'old',
    document: { content: 'a ship at sea' },
  });
  const settings = { PARLEY_KEY_PREFIX: parley.keyPrefix };
  const other = await server(endpoint, { ...settings, PARLEY_EMBEDDING_MODEL: 'large' });
  endpoint.embeds((request) => embeddings(request, (text) => [...vectorOf(text), 0, 0]));
  const modes = async (server: Parley) => {
    const search = (text: string, mode: SearchMode) =>
      server.documents.searchDocuments({ sessionId, text, mode });
    const ids = async (found: ReturnType<typeof search>) =>
      (await found).results.map(({ document }) => document!.documentId).sort();
    return [await ids(search('vessel', SearchMode.VECTOR)), await ids(search('sea', SearchMode.HYBRID))];
  };
  expect(await modes(other)).toEqual([[], ['old']]);
  await other.documents.createDocument({
    sessionId,
    documentId: 'new',
    document: { content: 'a boat at sea' },
  });
  expect(await modes(other)).toEqual([['new'], ['new', 'old']]);
  endpoint.embeds(embeddings);
  expect(await modes(parley)).toEqual([['old'], ['new', 'old']]);
  // The same name, another dimension, as after an update of the endpoint.
  endpoint.embeds((request) => embeddings(request, (text) => [...vectorOf(text), 0]));
  const updated = await server(endpoint, settings);
  expect(await modes(updated)).toEqual([[], ['new', 'old']]);
  const bare = await server(endpoint, { ...settings, PARLEY_EMBEDDING_MODEL: '' });
  const { results, mode } = await bare.documents.searchDocuments({ sessionId, text: 'sea' });
  expect([mode, results.length]).toEqual([SearchMode.TEXT, 2]);
});

it('a text without meaning is stored, and found by its words', async () => {
  const { endpoint, parley, sessionId } = await withEmbeddings();
  endpoint.embeds((request) => embeddings(request, () => new Array<number>(9).fill(0)));
  await parley.documents.createDocument({ sessionId, document: { content: 'the sea' } });
  for (const [mode, found] of [
    [SearchMode.HYBRID, 1],
    [SearchMode.VECTOR, 0],
  ] as const) {
    const { results } = await parley.documents.searchDocuments({ sessionId, text: 'sea', mode });
    expect(results).toHaveLength(found);
  }
});
