/**
 * The newest fifty sessions by two configs keys: over many sessions against over ten thousand, for a filter that
 * matches ten and one that matches a tenth. Each crowd has a server of its own; one call at a time.
 */
import { type ListSessionsResponse, SessionService } from '../../../gen/parley/v1/session_service_pb.ts';
import { fixedBody } from '../bodies.ts';
import { pathOf } from '../client.ts';
import { compare, comparedRow, rounds, type Side } from '../compare.ts';
import { type ParleyServer, startParley } from '../parley_server.ts';
import type { Findings, Row } from '../report.ts';
import type { Stage } from '../stage.ts';
import { COMMON, PILOT, PILOTS, populate } from './crowd.ts';

const FEW = 10_000;
const PAGE = 50;

export async function list(stage: Stage): Promise<Findings> {
  await using few = await startParley(stage.folder);
  await using many = await startParley(stage.folder);
  await populate(stage, few, FEW);
  const loading = await populate(stage, many, stage.sessions);
  await Promise.all([few.redis.settled(), many.redis.settled()]);
  const rows: Row[] = [];
  const details: Record<string, unknown> = { loading };
  for (const [filter, matches] of [
    [PILOT, PILOTS],
    [COMMON, stage.sessions / 10],
  ] as const) {
    const [subject, baseline] = [await side(many, filter), await side(few, filter)];
    const result = await compare(stage.generator, stage.pace, subject, baseline);
    const scenario = `ListSessions, ${matches.toLocaleString('en')} of ${stage.sessions.toLocaleString('en')}`;
    rows.push(comparedRow(result, scenario, 'ms p50', (m) => m.p50Ms, { atMost: 2 }));
    details[scenario] = rounds(result);
  }
  return { rows, details };
}

/** One caller who asks for the same page again and again, after one look at whether the page is right. */
async function side(parley: ParleyServer, filter: typeof PILOT | typeof COMMON): Promise<Side> {
  const method = SessionService.method.listSessions;
  const request = { pageSize: PAGE, filterByConfigs: filter };
  const { message } = await parley.client.call(method, request);
  checkPage(message, filter);
  return {
    address: parley.address,
    path: pathOf(method),
    bodies: [fixedBody(method, request)],
    connections: 1,
    callers: 1,
    watch: parley.pids,
  };
}

/** A fast page that is wrong is worth nothing. */
function checkPage({ sessions }: ListSessionsResponse, filter: typeof PILOT | typeof COMMON): void {
  const expected = filter === PILOT ? PILOTS : PAGE;
  if (sessions.length !== expected) throw new Error(`a page of ${sessions.length} instead of ${expected}`);
  for (const [key, value] of Object.entries(filter)) {
    if (sessions.some(({ configs }) => configs?.[key] !== value))
      throw new Error('a session that does not match');
  }
  const times = sessions.map(
    ({ createTime }) => createTime!.seconds * 1_000_000_000n + BigInt(createTime!.nanos),
  );
  if (times.some((time, i) => i > 0 && time > times[i - 1]!))
    throw new Error('a page that is not newest first');
}
