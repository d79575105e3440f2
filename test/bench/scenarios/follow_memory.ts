/** How the server's process grows by each follower that waits, against the bare broadcasting server's. */
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../compare.ts';
import { Followers } from '../followers.ts';
import { residentBytes } from '../processes.ts';
import type { Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { type Following, startFollowing } from './following.ts';

/** Each with a follower of its own in every crowd. */
const SESSIONS = 1000;

/**
 * Crowds that come, and stay, after a first one, with which comes what is no single follower's cost. Memory grows in
 * steps, by what the collector leaves for later, and over some crowds the steps even out.
 */
const CROWDS = 4;

const SETTLE_MS = 3000;

export async function followMemory(stage: Stage): Promise<Findings> {
  const measured: { parley: number; broadcast: number }[] = [];
  for (let round = 0; round < stage.pace.rounds; round++) {
    // New servers each time: what followers leave behind is where the next ones find room.
    await using following = await startFollowing(stage, SESSIONS, 1);
    measured.push({
      parley: await perFollower(following, 'parley'),
      broadcast: await perFollower(following, 'broadcast'),
    });
  }
  return {
    rows: [
      {
        scenario: 'Idle follower',
        unit: 'KB',
        parley: median(measured.map(({ parley }) => parley)),
        baseline: median(measured.map(({ broadcast }) => broadcast)),
        ratio: median(measured.map(({ parley, broadcast }) => parley / broadcast)),
        target: { atMost: 1.5 },
      },
    ],
    details: { perFollowerKb: measured },
  };
}

async function perFollower(following: Following, side: 'parley' | 'broadcast'): Promise<number> {
  const { address, pids } = following[side];
  const failure = Promise.withResolvers<never>();
  const crowds: Followers[] = [];
  const gather = async () => {
    const crowd = new Followers(address, following.audience(SESSIONS), {
      delivered: () => failure.reject(new Error('a turn that nobody appended')),
      idle: () => {},
      failed: (reason) => failure.reject(new Error(reason)),
    });
    crowds.push(crowd);
    await Promise.race([crowd.ready, failure.promise]);
    await Promise.race([sleep(SETTLE_MS), failure.promise]);
  };
  await gather();
  const before = residentBytes(pids[0]!);
  for (let i = 0; i < CROWDS; i++) await gather();
  const grown = residentBytes(pids[0]!) - before;
  for (const crowd of crowds) crowd.close();
  return grown / (CROWDS * SESSIONS) / 1000;
}
