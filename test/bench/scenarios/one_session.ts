/**
 * Sixteen callers who write to one session, against sixteen on a session each, everyone on a connection of his own.
 * After each round the books are compared: what every caller was told is stored must be there.
 */
import type { DescMethodUnary, MessageInitShape } from '@bufbuild/protobuf';
import { SERIAL, serialBody } from '../bodies.ts';
import { type ParleyClient, pathOf } from '../client.ts';
import { compare, comparedRow, rounds, type Side } from '../compare.ts';
import type { Measured } from '../load.ts';
import { type ParleyServer, startParley } from '../parley_server.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { createSessions } from './sessions.ts';

const CALLERS = 16;

/** What the callers do. */
export interface Writing<M extends DescMethodUnary> {
  /** `callers` or `writers`, as the rows say. */
  readonly who: string;
  /** What a lost one is called. */
  readonly what: string;
  readonly method: M;
  /** What a caller, known by this name, sends; {@link SERIAL} in it is what each call has of its own. */
  request(sessionId: string, caller: string, serial: typeof SERIAL): MessageInitShape<M['input']>;
  readonly atLeast: number;
  /** Looks at a session after a round, and counts what is not as its callers were told. */
  audit(client: ParleyClient, sessionId: string, told: readonly Told[]): Promise<number>;
}

/** What one caller was told in one round: how many of his calls are stored, and which was the last. */
export interface Told {
  readonly caller: string;
  readonly calls: number;
  readonly lastSerial: number;
}

export async function oneSession<M extends DescMethodUnary>(
  stage: Stage,
  writing: Writing<M>,
): Promise<Findings> {
  await using parley = await startParley(stage.folder);
  const [shared, ...own] = await createSessions(parley.client, 1 + CALLERS);
  const one: readonly string[] = Array(CALLERS).fill(shared);
  const lost = { subject: 0, baseline: 0 };
  const result = await compare(
    stage.generator,
    stage.pace,
    side(parley, writing, one),
    side(parley, writing, own),
    async (name, measured) => {
      lost[name] += await audit(parley.client, writing, name === 'subject' ? one : own, measured);
    },
  );
  const { who, what, atLeast } = writing;
  const [scenario, unit] = [`${CALLERS} ${who}, 1 session`, `${what} lost`];
  const { subject, baseline } = rounds(result);
  return {
    rows: [
      comparedRow(result, scenario, 'calls/s', (m) => m.callsPerSecond, { atLeast }),
      { scenario, unit, parley: lost.subject, target: { atMost: 0 } },
      {
        scenario: `${CALLERS} ${who}, ${CALLERS} sessions`,
        unit,
        parley: lost.baseline,
        target: { atMost: 0 },
      },
    ],
    details: { oneSession: subject, sixteenSessions: baseline },
  };
}

const nameOf = (caller: number): string => `caller_${caller}`;

/** Caller `i` writes to `sessions[i]`. */
function side<M extends DescMethodUnary>(
  parley: ParleyServer,
  { method, request }: Writing<M>,
  sessions: readonly string[],
): Side {
  const encoded = sessions.map((sessionId, i) => serialBody(method, request(sessionId, nameOf(i), SERIAL)));
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

/** How much of what the callers of a round were told is not so. */
async function audit<M extends DescMethodUnary>(
  client: ParleyClient,
  writing: Writing<M>,
  sessions: readonly string[],
  { acknowledged }: Measured,
): Promise<number> {
  const told = acknowledged.map((tally, i) => ({ caller: nameOf(i), ...tally }));
  let wrong = 0;
  for (const session of new Set(sessions)) {
    wrong += await writing.audit(
      client,
      session,
      told.filter((_, i) => sessions[i] === session),
    );
  }
  return wrong;
}
