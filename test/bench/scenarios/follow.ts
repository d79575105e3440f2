/**
 * Turns delivered to a thousand followers, of one session and of a thousand, against a bare grpc-js server that writes
 * the same bytes to as many from memory. Whoever appends goes on when all followers of the session have the turns, so
 * that neither server can put off its deliveries. Where every follower has a session of his own, the fewer turns an
 * append is of, the more the figure is one of appending, which has a goal of its own; with fifty it is one of
 * delivering, and has its goal. What is appended waits for the disk, so each is measured with both ways that Redis has
 * of writing to it.
 *
 * Enough appends are under way to keep both servers busy; how long a delivery takes is measured apart, with one append
 * at a time, since under full load it tells the length of the queue.
 */
import { checkSizes, compare, comparedRow, rounds, type Side } from '../compare.ts';
import { eachFsync } from '../fsync.ts';
import type { Findings, Row } from '../report.ts';
import type { Stage } from '../stage.ts';
import { type Following, startFollowing } from './following.ts';

const FOLLOWERS = 1000;

interface Crowd {
  readonly scenario: string;
  readonly sessions: number;
  /** So many that no seq takes a byte more before the scenario is over: messages keep their size. */
  readonly turnsBefore: number;
  /** Appends under way. */
  readonly callers: number;
  /** How many turns each append is of. */
  readonly turns: number;
  /** Of the bare server's deliveries. */
  readonly atLeast?: number;
}

/** Every follower has a session of his own. */
const APART = { sessions: 1000, turnsBefore: 128, callers: 64 };

const CROWDS: readonly Crowd[] = [
  {
    scenario: '1,000 followers of 1 session',
    sessions: 1,
    turnsBefore: 16_384,
    callers: 8,
    turns: 1,
    atLeast: 0.7,
  },
  ...[1, 10, 20].map((turns) => ({ scenario: apart(turns), ...APART, turns })),
  { scenario: apart(50), ...APART, turns: 50, atLeast: 0.7 },
];

function apart(turns: number): string {
  return `1,000 followers of 1,000 sessions, ${turns} turn${turns > 1 ? 's' : ''} an append`;
}

export async function follow(stage: Stage): Promise<Findings> {
  const rows: Row[] = [];
  const details: Record<string, unknown> = {};
  for (const crowd of CROWDS) {
    await using following = await startFollowing(stage, crowd.sessions, crowd.turnsBefore, crowd.turns);
    // An append to a session with one follower waits for the disk as often as it delivers.
    const targets = { everysec: crowd, always: crowd.sessions === 1 ? crowd : {} };
    const found = await eachFsync(targets, async (policy, { atLeast }) => {
      const target = atLeast === undefined ? undefined : { atLeast };
      await following.redis.appendFsync(policy);
      const full = await measure(stage, following, crowd.callers);
      const single = await measure(stage, following, 1);
      const scenario = `${crowd.scenario}, appendfsync ${policy}`;
      return {
        rows: [
          comparedRow(full, scenario, 'deliveries/s', (m) => m.callsPerSecond, target),
          comparedRow(full, scenario, 'µs CPU/delivery', (m) => m.cpuMicrosPerCall[0]!),
          comparedRow(single, scenario, 'ms p50', (m) => m.p50Ms),
          comparedRow(single, scenario, 'ms p99', (m) => m.p99Ms),
        ],
        details: { full: rounds(full), single: rounds(single) },
      };
    });
    rows.push(...found.rows);
    details[crowd.scenario] = found.details;
  }
  return { rows, details };
}

async function measure(stage: Stage, following: Following, callers: number) {
  const { parley, broadcast, appends, appendPath, audience } = following;
  const side = ({ address, pids }: Following['parley']): Side => ({
    address,
    path: appendPath,
    bodies: appends.map(({ body }) => body),
    serialAt: appends.map(({ serialAt }) => serialAt),
    connections: 1,
    callers,
    audience: audience(FOLLOWERS),
    watch: pids,
  });
  const result = await compare(stage.generator, stage.pace, side(parley), side(broadcast));
  checkSizes(result);
  return result;
}
