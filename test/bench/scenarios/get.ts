/** GetSession over a thousand sessions of twenty configs keys, against an echo of one of them. */
import { SessionService } from '../../../gen/parley/v1/session_service_pb.ts';
import { fixedBody } from '../bodies.ts';
import { startParley } from '../parley_server.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { versusEcho } from '../versus_echo.ts';
import { createSessions } from './sessions.ts';

export async function get(stage: Stage): Promise<Findings> {
  await using parley = await startParley(stage.folder);
  const ids = await createSessions(parley.client, 1000);
  const method = SessionService.method.getSession;
  const response = (await parley.client.call(method, { sessionId: ids[0]! })).bytes;
  const bodies = ids.map((sessionId) => fixedBody(method, { sessionId }));
  // Awaited here: what is returned unawaited outlives the server.
  return await versusEcho(stage, parley, { method, bodies, response, atLeast: 0.6 });
}
