/**
 * Sixteen callers who patch one session, against sixteen on a session each. Every caller has a key of its own; after
 * each round the key must hold what the caller was last told is stored, and the revision must have moved by exactly
 * the acknowledged calls.
 */
import { ConfigsService } from '../../../gen/parley/v1/configs_service_pb.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { oneSession } from './one_session.ts';

export function callers(stage: Stage): Promise<Findings> {
  const revisions = new Map<string, number>();
  return oneSession(stage, {
    who: 'callers',
    what: 'calls',
    method: ConfigsService.method.patchConfigs,
    request: (sessionId, caller, serial) => ({ sessionId, configs: { [caller]: serial } }),
    atLeast: 0.5,
    async audit(client, sessionId, told) {
      const { message } = await client.call(ConfigsService.method.getConfigs, { sessionId });
      let wrong = 0;
      let expected = revisions.get(sessionId) ?? 1; // The first came with the session.
      for (const { caller, calls, lastSerial } of told) {
        expected += calls;
        if (message.configs?.[caller] !== lastSerial) wrong++;
      }
      revisions.set(sessionId, message.revision);
      return wrong + Math.abs(message.revision - expected);
    },
  });
}
