/**
 * CreateSession with twenty configs keys and an id of the server's making, against an echo of its answer: with Redis
 * writing to disk once a second, and apart from it before every answer, which is how Parley starts it.
 */
import { SessionService } from '../../../gen/parley/v1/session_service_pb.ts';
import { SERIAL, serialBody, TWENTY_KEYS } from '../bodies.ts';
import { eachFsync } from '../fsync.ts';
import { startParley } from '../parley_server.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { versusEcho } from '../versus_echo.ts';

const TARGET = { atLeast: 0.3 };

export function create(stage: Stage): Promise<Findings> {
  const method = SessionService.method.createSession;
  const request = { session: { configs: { ...TWENTY_KEYS, serial: SERIAL } } };
  const { body, serialAt } = serialBody(method, request);
  return eachFsync({ everysec: TARGET, always: TARGET }, async (policy, target) => {
    await using parley = await startParley(stage.folder);
    await parley.redis.appendFsync(policy);
    const response = (await parley.client.call(method, request)).bytes;
    const scenario = `CreateSession, appendfsync ${policy}`;
    const comparison = { method, bodies: [body], serialAt: [serialAt], response, scenario, ...target };
    // Awaited here: what is returned unawaited outlives the server.
    return await versusEcho(stage, parley, comparison);
  });
}
