/**
 * CreateDocument of ten kilobytes of text without an embedding model, against an echo of its answer: as AppendTurns is
 * measured, with Redis writing to disk once a second, which is what the target is for, and apart from it before every
 * answer, which is how Parley starts it.
 */
import { DocumentService } from '../../../gen/parley/v1/document_service_pb.ts';
import { fixedBody } from '../bodies.ts';
import { eachFsync, type FsyncPolicy } from '../fsync.ts';
import { startParley } from '../parley_server.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { versusEcho } from '../versus_echo.ts';
import { textOf } from './library.ts';
import { createSessions } from './sessions.ts';

const BYTES = 10_240;
/** A session holds a thousand documents at most: enough of them for all rounds. */
const SESSIONS = 500;

export function createDocument(stage: Stage): Promise<Findings> {
  return eachFsync({ everysec: { atLeast: 0.2 }, always: {} }, (policy, target) =>
    withPolicy(stage, policy, target),
  );
}

/** On a server of its own, so that neither finds the other's documents in its way. */
async function withPolicy(
  stage: Stage,
  policy: FsyncPolicy,
  target: { readonly atLeast?: number },
): Promise<Findings> {
  await using parley = await startParley(stage.folder);
  await parley.redis.appendFsync(policy);
  const method = DocumentService.method.createDocument;
  const ids = await createSessions(parley.client, SESSIONS);
  const request = (sessionId: string, n: number) => ({
    sessionId,
    document: { title: `Page ${n}`, content: textOf(n, BYTES), metadata: { page: n } },
  });
  const { bytes } = await parley.client.call(method, request(ids[0]!, 100));
  // Awaited here: what is returned unawaited outlives the server.
  return await versusEcho(stage, parley, {
    method,
    scenario: `CreateDocument of 10 KB, appendfsync ${policy}`,
    bodies: ids.map((sessionId, n) => fixedBody(method, request(sessionId, n))),
    response: bytes,
    ...target,
  });
}
