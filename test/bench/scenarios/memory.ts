/** What an idle server costs with its Redis, and what one stored session of twenty configs keys adds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SessionService } from '../../../gen/parley/v1/session_service_pb.ts';
import { SERIAL, serialBody, TWENTY_KEYS } from '../bodies.ts';
import { pathOf } from '../client.ts';
import { type ParleyServer, startParley } from '../parley_server.ts';
import { residentBytes } from '../processes.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';

const SESSIONS = 2000;
const SETTLE_MS = 3000;

export async function memory(stage: Stage): Promise<Findings> {
  await using parley = await startParley(stage.folder);
  await sleep(SETTLE_MS);
  const [server, redis] = parley.pids.map((pid) => residentBytes(pid) / 1e6) as [number, number];
  await createMany(stage, parley, 100); // What comes once with the first session is no session's cost.
  const before = await usedBytes(parley);
  await createMany(stage, parley, SESSIONS);
  const perSession = ((await usedBytes(parley)) - before) / SESSIONS / 1000;
  return {
    rows: [
      { scenario: 'Idle server and Redis', unit: 'MB', parley: server + redis, target: { atMost: 250 } },
      { scenario: 'Session of 20 configs keys', unit: 'KB', parley: perSession, target: { atMost: 6 } },
    ],
    details: { idleServerMb: server, idleRedisMb: redis, sessions: SESSIONS, perSessionKb: perSession },
  };
}

/** After a pause, so that no call's buffers are counted. */
async function usedBytes(parley: ParleyServer): Promise<number> {
  await sleep(SETTLE_MS);
  await parley.redis.settled();
  return parley.redis.usedBytes();
}

async function createMany(stage: Stage, parley: ParleyServer, calls: number): Promise<void> {
  const method = SessionService.method.createSession;
  const { body, serialAt } = serialBody(method, { session: { configs: { ...TWENTY_KEYS, serial: SERIAL } } });
  await stage.generator.run({
    address: parley.address,
    path: pathOf(method),
    bodies: [body],
    serialAt: [serialAt],
    connections: stage.connections,
    callers: stage.callers,
    warmUpSeconds: 0,
    until: { calls },
    watch: [],
  });
}
