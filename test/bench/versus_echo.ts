/** The comparison most scenarios make: Parley's calls per second as a share of the echo's. */
import type { DescMethodUnary } from '@bufbuild/protobuf';
import { pathOf } from './client.ts';
import { type Comparison, compare, middle, ratio, type Side } from './compare.ts';
import { startEcho } from './echo.ts';
import type { Measured } from './load.ts';
import type { ParleyServer } from './parley_server.ts';
import { brief, type Findings } from './report.ts';
import type { Stage } from './stage.ts';

/** One method of Parley under load, and what it has to reach. */
export interface EchoComparison {
  readonly method: DescMethodUnary;
  readonly bodies: readonly Uint8Array[];
  readonly serialAt?: readonly number[];
  /** What Parley answers to one of the bodies, for the echo to repeat. */
  readonly response: Uint8Array;
  readonly atLeast: number;
}

/** How far the two servers' answers may differ in size: revisions and times grow by a byte now and then. */
const SIZE_TOLERANCE = 0.02;

/** Measures `parley` against an echo of its own answers; `afterParley` hears of each of its rounds. */
export async function versusEcho(
  stage: Stage,
  parley: ParleyServer,
  comparison: EchoComparison,
  afterParley: (measured: Measured) => Promise<void> = async () => {},
): Promise<Findings> {
  const { method, bodies, serialAt, response, atLeast } = comparison;
  const path = pathOf(method);
  await using echo = await startEcho(path, response);
  const { connections, callers } = stage;
  const common = { path, bodies, ...(serialAt && { serialAt }), connections, callers };
  const subject: Side = { ...common, address: parley.address, watch: parley.pids };
  const baseline: Side = { ...common, address: echo.address, watch: [echo.pid] };
  const result = await compare(stage.generator, stage.pace, subject, baseline, async (side, measured) => {
    if (side === 'subject') await afterParley(measured);
  });
  checkSizes(result);
  return findings(method.name, result, atLeast);
}

function checkSizes({ subject, baseline }: Comparison): void {
  const bytes = (measured: Measured) => measured.bytesPerCall;
  const [ours, theirs] = [middle(subject, bytes), middle(baseline, bytes)];
  if (Math.abs(ours / theirs - 1) > SIZE_TOLERANCE) {
    throw new Error(`Parley answered ${ours} bytes a call, the echo ${theirs}: not the same bytes`);
  }
}

function findings(scenario: string, result: Comparison, atLeast: number): Findings {
  const figure = (value: (measured: Measured) => number) => ({
    parley: middle(result.subject, value),
    baseline: middle(result.baseline, value),
    ratio: ratio(result, value),
  });
  return {
    rows: [
      { scenario, unit: 'calls/s', ...figure((m) => m.callsPerSecond), target: { atLeast } },
      { scenario, unit: 'µs CPU/call', ...figure((m) => m.cpuMicrosPerCall[0]!) },
      { scenario, unit: 'ms p50', ...figure((m) => m.p50Ms) },
    ],
    details: { subject: result.subject.map(brief), baseline: result.baseline.map(brief) },
  };
}
