/** CreateSession with twenty configs keys and an id of the server's making, against an echo of its answer. */
import { SessionService } from '../../../gen/parley/v1/session_service_pb.ts';
import { SERIAL, serialBody, TWENTY_KEYS } from '../bodies.ts';
import { startParley } from '../parley_server.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { versusEcho } from '../versus_echo.ts';

export async function create(stage: Stage): Promise<Findings> {
  await using parley = await startParley(stage.folder);
  const method = SessionService.method.createSession;
  const request = { session: { configs: { ...TWENTY_KEYS, serial: SERIAL } } };
  const { body, serialAt } = serialBody(method, request);
  const response = (await parley.client.call(method, request)).bytes;
  // Awaited here: what is returned unawaited outlives the server.
  return await versusEcho(stage, parley, {
    method,
    bodies: [body],
    serialAt: [serialAt],
    response,
    atLeast: 0.3,
  });
}
