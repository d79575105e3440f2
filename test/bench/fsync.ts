/** What waits for the disk is measured with both ways that Redis has of writing to it. */
import type { Findings, Row } from './report.ts';

export type FsyncPolicy = 'everysec' | 'always';

/**
 * With Redis writing to disk once a second, which is what the target is for, and apart from it before every answer,
 * which is how Parley starts it. `measure` sets the policy.
 */
export async function eachFsync(
  atLeast: number,
  measure: (policy: FsyncPolicy, target: { readonly atLeast?: number }) => Promise<Findings>,
): Promise<Findings> {
  const rows: Row[] = [];
  const details: Partial<Record<FsyncPolicy, unknown>> = {};
  for (const [policy, target] of [
    ['everysec', { atLeast }],
    ['always', {}],
  ] as const) {
    const findings = await measure(policy, target);
    rows.push(...findings.rows);
    details[policy] = findings.details;
  }
  return { rows, details };
}
