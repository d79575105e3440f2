/**
 * PatchConfigs of one key on a thousand sessions, against an echo of its answer: with Redis writing to disk once a
 * second, and apart from it before every answer, which is how Parley starts it. Every patch brings a new value, so none
 * is a no-op; at the end the revisions must have moved by exactly as many calls as were acknowledged.
 */
import { ConfigsService } from '../../../gen/parley/v1/configs_service_pb.ts';
import { SERIAL, serialBody } from '../bodies.ts';
import { eachFsync } from '../fsync.ts';
import { startParley } from '../parley_server.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { versusEcho } from '../versus_echo.ts';
import { createSessions } from './sessions.ts';

const TARGET = { atLeast: 0.35 };

export async function patch(stage: Stage): Promise<Findings> {
  await using parley = await startParley(stage.folder);
  const ids = await createSessions(parley.client, 1000);
  const method = ConfigsService.method.patchConfigs;
  const encoded = ids.map((sessionId) => serialBody(method, { sessionId, configs: { serial: SERIAL } }));
  const sample = await parley.client.call(method, { sessionId: ids[0]!, configs: { serial: 0.5 } });
  let acknowledged = 1;
  const comparison = {
    method,
    bodies: encoded.map(({ body }) => body),
    serialAt: encoded.map(({ serialAt }) => serialAt),
    response: sample.bytes,
  };
  const { rows, details } = await eachFsync({ everysec: TARGET, always: TARGET }, async (policy, target) => {
    await parley.redis.appendFsync(policy);
    const scenario = `PatchConfigs, appendfsync ${policy}`;
    return versusEcho(stage, parley, { ...comparison, scenario, ...target }, async (measured) => {
      for (const { calls } of measured.acknowledged) acknowledged += calls;
    });
  });
  let stored = 0;
  for (const sessionId of ids) {
    const { message } = await parley.client.call(ConfigsService.method.getConfigs, { sessionId });
    stored += message.revision - 1; // The first came with the session.
  }
  const lost = Math.abs(acknowledged - stored);
  const row = { scenario: 'PatchConfigs', unit: 'calls lost', parley: lost, target: { atMost: 0 } };
  return { rows: [...rows, row], details };
}
