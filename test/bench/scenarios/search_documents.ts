/**
 * SearchDocuments in a session of a hundred documents, by words and by both words and meaning: while other sessions
 * hold a hundred thousand, against a thousand. Each has a server of its own; one call at a time. The embedding model
 * answers at once, and takes the same on both sides.
 */
import { DocumentService, SearchMode } from '../../../gen/parley/v1/document_service_pb.ts';
import { fixedBody } from '../bodies.ts';
import { pathOf } from '../client.ts';
import { compare, comparedRow, rounds, type Side } from '../compare.ts';
import { startEmbeddingEndpoint } from '../embedding_endpoint.ts';
import { type ParleyServer, startParley } from '../parley_server.ts';
import type { Findings, Row } from '../report.ts';
import type { Stage } from '../stage.ts';
import { createShelf, populate, QUESTION } from './library.ts';

const FEW = 1000;
const MANY = 100_000;
const method = DocumentService.method.searchDocuments;

export async function searchDocuments(stage: Stage): Promise<Findings> {
  const many = Math.min(MANY, stage.sessions / 10);
  await using endpoint = await startEmbeddingEndpoint();
  const settings = { OPENAI_BASE_URL: endpoint.url, PARLEY_EMBEDDING_MODEL: 'bench' };
  await using small = await startParley(stage.folder, settings);
  await using large = await startParley(stage.folder, settings);
  const shelves = [await createShelf(small), await createShelf(large)] as const;
  const loading = [await populate(stage, small, FEW), await populate(stage, large, many)];
  await Promise.all([small.redis.settled(), large.redis.settled()]);
  const rows: Row[] = [];
  const details: Record<string, unknown> = { loading };
  for (const [name, mode] of [
    ['TEXT', SearchMode.TEXT],
    ['HYBRID', SearchMode.HYBRID],
  ] as const) {
    const subject = await side(large, shelves[1], mode);
    const baseline = await side(small, shelves[0], mode);
    const result = await compare(stage.generator, stage.pace, subject, baseline);
    const scenario = `SearchDocuments ${name} among ${many.toLocaleString('en')}, against ${FEW.toLocaleString('en')}`;
    rows.push(comparedRow(result, scenario, 'ms p50', (m) => m.p50Ms, { atMost: 2 }));
    details[scenario] = rounds(result);
  }
  return { rows, details };
}

/** One caller who looks for the same again and again, after one look at whether it is found. */
async function side(parley: ParleyServer, sessionId: string, mode: SearchMode): Promise<Side> {
  const request = { sessionId, text: QUESTION, mode };
  const { message } = await parley.client.call(method, request);
  if (message.results.length !== 10 || message.mode !== mode)
    throw new Error('not the ten best of a hundred');
  return {
    address: parley.address,
    path: pathOf(method),
    bodies: [fixedBody(method, request)],
    connections: 1,
    callers: 1,
    watch: parley.pids,
  };
}
