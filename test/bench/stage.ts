/** What every scenario is given, and what it gives back. */
import type { Pace } from './compare.ts';
import type { LoadGenerator } from './load.ts';
import type { Findings } from './report.ts';

export interface Stage {
  readonly generator: LoadGenerator;
  readonly pace: Pace;
  /** How many connections, and how many calls in flight over all of them, where a scenario does not say itself. */
  readonly connections: number;
  readonly callers: number;
  /** How many sessions the larger listing is over. */
  readonly sessions: number;
  /** Where data directories are made; on the disk that is to be measured. */
  readonly folder: string;
  /** Tells how it goes, for people. */
  readonly say: (line: string) => void;
}

export type Scenario = (stage: Stage) => Promise<Findings>;
