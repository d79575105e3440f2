/** Two servers under the same load, turn about, so that a slow minute of the machine hits both. */
import type { Load, LoadGenerator, Measured, Timing } from './load.ts';
import { brief, type Row } from './report.ts';

/** How hard and how long, the same for both sides. */
export interface Pace {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/** One side's load, without what the pace says. */
export type Side = Omit<Load, keyof Timing>;

/** All rounds of both sides; the same index was measured one after the other. */
export interface Comparison {
  readonly subject: readonly Measured[];
  readonly baseline: readonly Measured[];
}

/** The share of a core from which on the generator might have been what was measured. */
const BUSY = 0.85;

type SideName = 'subject' | 'baseline';
type After = (side: SideName, measured: Measured) => Promise<void>;

/** Measures subject, baseline, subject, baseline …; `after` hears of each round of either side. */
export function compare(
  generator: LoadGenerator,
  pace: Pace,
  subject: Side,
  baseline: Side,
  after: After = async () => {},
): Promise<Comparison> {
  return inTurns(
    pace,
    {
      subject: (timing) => runLoad(generator, { ...subject, ...timing }),
      baseline: (timing) => runLoad(generator, { ...baseline, ...timing }),
    },
    after,
  );
}

/** The same for sides that are not both the generator's to load. */
export async function inTurns(
  { rounds, seconds, warmUpSeconds, calls }: Pace & { readonly calls?: number },
  sides: Readonly<Record<SideName, (timing: Timing) => Promise<Measured>>>,
  after: After,
): Promise<Comparison> {
  const measured = { subject: [] as Measured[], baseline: [] as Measured[] };
  // The first round of all is long, and thrown away: it runs in code that is not compiled yet.
  for (let round = 0; round <= rounds; round++) {
    const until = calls ? { calls } : { seconds: round === 0 ? 4 * seconds : seconds };
    for (const name of ['subject', 'baseline'] as const) {
      const result = await sides[name]({ warmUpSeconds, until });
      await after(name, result);
      if (round > 0) measured[name].push(result);
    }
  }
  return measured;
}

/** Throws when it was the generator that was measured. */
export async function runLoad(generator: LoadGenerator, load: Load): Promise<Measured> {
  const measured = await generator.run(load);
  if (measured.generatorBusy > BUSY) throw new Error('the load generator was the bottleneck, not the server');
  return measured;
}

/** How far two servers' messages may differ in size: revisions and times grow by a byte now and then. */
const SIZE_TOLERANCE = 0.02;

/** Throws when a bare server did not say as much as Parley. */
export function checkSizes({ subject, baseline }: Comparison): void {
  const bytes = (measured: Measured) => measured.bytesPerCall;
  const [ours, theirs] = [middle(subject, bytes), middle(baseline, bytes)];
  if (Math.abs(ours / theirs - 1) > SIZE_TOLERANCE)
    throw new Error(`Parley's messages were of ${ours} bytes, the bare server's of ${theirs}: not the same`);
}

/** One figure of a comparison as a row: the median of either side, and that of the pairwise ratios. */
export function comparedRow(
  result: Comparison,
  scenario: string,
  unit: string,
  value: (measured: Measured) => number,
  target?: Row['target'],
): Row {
  return {
    scenario,
    unit,
    parley: middle(result.subject, value),
    baseline: middle(result.baseline, value),
    ratio: ratio(result, value),
    ...(target && { target }),
  };
}

/** Every round of a comparison, for the details of a report. */
export function rounds({ subject, baseline }: Comparison): { subject: object[]; baseline: object[] } {
  return { subject: subject.map(brief), baseline: baseline.map(brief) };
}

/** The median of the rounds' values. */
export function middle(rounds: readonly Measured[], value: (measured: Measured) => number): number {
  return median(rounds.map(value));
}

/** The median of subject ÷ baseline, taken pair by pair. */
function ratio({ subject, baseline }: Comparison, value: (measured: Measured) => number): number {
  return median(subject.map((measured, round) => value(measured) / value(baseline[round]!)));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(half)]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
