/**
 * Sixteen callers who patch one session, against sixteen on a session each. Every caller has a key of its own; after
 * each round the key must hold what the caller was last told is stored, and the revision must have moved by exactly
 * the acknowledged calls.
 */
import { ConfigsService } from '../../../gen/parley/v1/configs_service_pb.ts';
import { SERIAL, serialBody } from '../bodies.ts';
import { type ParleyClient, pathOf } from '../client.ts';
import { compare, middle, ratio, type Side } from '../compare.ts';
import type { Measured } from '../load.ts';
import { type ParleyServer, startParley } from '../parley_server.ts';
import { brief, type Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { createSessions } from './sessions.ts';

const CALLERS = 16;

export async function callers(stage: Stage): Promise<Findings> {
  await using parley = await startParley(stage.folder);
  const [shared, ...own] = await createSessions(parley.client, 1 + CALLERS);
  const one = new Ledger(parley.client, Array(CALLERS).fill(shared));
  const sixteen = new Ledger(parley.client, own);
  const result = await compare(
    stage.generator,
    stage.pace,
    side(parley, one.sessions),
    side(parley, sixteen.sessions),
    (name, measured) => (name === 'subject' ? one : sixteen).check(measured),
  );
  const speed = (measured: Measured) => measured.callsPerSecond;
  const [scenario, lost] = ['16 callers, 1 session', 'calls lost'];
  return {
    rows: [
      {
        scenario,
        unit: 'calls/s',
        parley: middle(result.subject, speed),
        baseline: middle(result.baseline, speed),
        ratio: ratio(result, speed),
        target: { atLeast: 0.5 },
      },
      { scenario, unit: lost, parley: one.wrong, target: { atMost: 0 } },
      { scenario: '16 callers, 16 sessions', unit: lost, parley: sixteen.wrong, target: { atMost: 0 } },
    ],
    details: { oneSession: result.subject.map(brief), sixteenSessions: result.baseline.map(brief) },
  };
}

const keyOf = (caller: number): string => `caller_${caller}`;

/** Caller `i` patches its key of `sessions[i]`, on a connection of its own. */
function side(parley: ParleyServer, sessions: readonly string[]): Side {
  const method = ConfigsService.method.patchConfigs;
  const encoded = sessions.map((sessionId, caller) =>
    serialBody(method, { sessionId, configs: { [keyOf(caller)]: SERIAL } }),
  );
  return {
    address: parley.address,
    path: pathOf(method),
    bodies: encoded.map(({ body }) => body),
    serialAt: encoded.map(({ serialAt }) => serialAt),
    ownBodies: true,
    connections: CALLERS,
    callers: CALLERS,
    watch: parley.pids,
  };
}

/** Keeps account of what the callers were told, and compares it with what is stored. */
class Ledger {
  readonly sessions: readonly string[];
  readonly #client: ParleyClient;
  readonly #revisions = new Map<string, number>();
  /** Revisions too few or too many, and keys that do not hold their caller's last value. */
  wrong = 0;

  constructor(client: ParleyClient, sessions: readonly string[]) {
    this.#client = client;
    this.sessions = sessions;
    for (const session of sessions) this.#revisions.set(session, 1);
  }

  async check({ acknowledged }: Measured): Promise<void> {
    for (const [session, before] of this.#revisions) {
      const { message } = await this.#client.call(ConfigsService.method.getConfigs, { sessionId: session });
      let expected = before;
      for (const [caller, { calls, lastSerial }] of acknowledged.entries()) {
        if (this.sessions[caller] !== session) continue;
        expected += calls;
        if (message.configs?.[keyOf(caller)] !== lastSerial) this.wrong++;
      }
      this.wrong += Math.abs(message.revision - expected);
      this.#revisions.set(session, message.revision);
    }
  }
}
