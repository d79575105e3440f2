/** The comparison most scenarios make: Parley's calls per second, and its CPU per call, against the echo's. */
import type { DescMethodUnary } from '@bufbuild/protobuf';
import { pathOf } from './client.ts';
import { type Comparison, checkSizes, compare, comparedRow, rounds, type Side } from './compare.ts';
import { startEcho } from './echo.ts';
import type { Load, Measured } from './load.ts';
import type { ParleyServer } from './parley_server.ts';
import type { Findings } from './report.ts';
import type { Stage } from './stage.ts';

/** One method of Parley under load, and what it has to reach. */
export interface EchoComparison {
  readonly method: DescMethodUnary;
  readonly bodies: readonly Uint8Array[];
  readonly serialAt?: Load['serialAt'];
  /** What Parley answers to one of the bodies, for the echo to repeat. */
  readonly response: Uint8Array;
  /** Of the echo's calls per second; without it they are only told. */
  readonly atLeast?: number;
  /** Times the CPU of the echo's process, for Parley's own; without it that is only told. */
  readonly cpuAtMost?: number;
  /** What the rows are called; the method's name when absent. */
  readonly scenario?: string;
}

/** Measures `parley` against an echo of its own answers; `afterParley` hears of each of its rounds. */
export async function versusEcho(
  stage: Stage,
  parley: ParleyServer,
  comparison: EchoComparison,
  afterParley: (measured: Measured) => Promise<void> = async () => {},
): Promise<Findings> {
  const { method, bodies, serialAt, response } = comparison;
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
  return findings(comparison, result);
}

function findings(comparison: EchoComparison, result: Comparison): Findings {
  const { method, scenario = method.name, atLeast, cpuAtMost } = comparison;
  const speed = atLeast === undefined ? undefined : { atLeast };
  const cpu = cpuAtMost === undefined ? undefined : { atMost: cpuAtMost };
  return {
    rows: [
      comparedRow(result, scenario, 'calls/s', (m) => m.callsPerSecond, speed),
      comparedRow(result, scenario, 'µs CPU/call', (m) => m.cpuMicrosPerCall[0]!, cpu),
      comparedRow(result, scenario, 'ms p50', (m) => m.p50Ms),
    ],
    details: rounds(result),
  };
}
