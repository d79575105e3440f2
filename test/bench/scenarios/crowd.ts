/**
 * Many small sessions with known shares: every tenth is in the EU on the Pro plan, and ten in all are US pilots,
 * spread evenly. Each key of a filter alone matches far more than both together, as it is with real filters.
 */
import { SessionService } from '../../../gen/parley/v1/session_service_pb.ts';
import { SERIAL, serialBody } from '../bodies.ts';
import { pathOf } from '../client.ts';
import type { ParleyServer } from '../parley_server.ts';
import type { Stage } from '../stage.ts';

/** Matches a tenth of the crowd; half are in the EU, a fifth on the Pro plan. */
export const COMMON = { region: 'eu', plan: 'pro' } as const;

/** Matches {@link PILOTS} sessions; half the crowd is in the US. */
export const PILOT = { region: 'us', cohort: 'pilot' } as const;
export const PILOTS = 10;

/** Enough in flight for Redis to write many sessions to disk in one go. */
const LOADING_CALLERS = 64;

const method = SessionService.method.createSession;

/** Fills an empty server with `count` sessions, a multiple of 100; returns how that went. */
export async function populate(stage: Stage, parley: ParleyServer, count: number): Promise<object> {
  const encoded = Array.from({ length: 10 }, (_, i) => serialBody(method, { session: { configs: kind(i) } }));
  const load = {
    address: parley.address,
    path: pathOf(method),
    bodies: encoded.map(({ body }) => body),
    serialAt: encoded.map(({ serialAt }) => serialAt),
    connections: 4,
    callers: LOADING_CALLERS,
    warmUpSeconds: 0,
    until: { calls: count / PILOTS - 1 },
    watch: parley.pids,
  };
  const empty = await parley.redis.usedBytes();
  const begin = performance.now();
  const callsPerSecond: number[] = [];
  for (let pilot = 1; pilot <= PILOTS; pilot++) {
    const configs = { ...PILOT, plan: 'free', serial: -pilot };
    await parley.client.call(method, { session: { configs } });
    const measured = await stage.generator.run(load);
    callsPerSecond.push(Math.round(measured.callsPerSecond));
    const done = ((count / PILOTS) * pilot).toLocaleString('en');
    if (count >= 100_000) stage.say(`  ${done} sessions, ${Math.round(measured.callsPerSecond)} a second`);
  }
  const bytesPerSession = ((await parley.redis.usedBytes()) - empty) / count;
  return { sessions: count, seconds: (performance.now() - begin) / 1000, callsPerSecond, bytesPerSession };
}

/** The configs of every tenth session, beginning with the `i`th. */
function kind(i: number): { region: string; plan: string; serial: number } {
  return { region: i % 2 === 0 ? 'eu' : 'us', plan: i % 5 === 0 ? 'pro' : 'free', serial: SERIAL };
}
