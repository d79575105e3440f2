/** What waits for the disk is measured with both ways that Redis has of writing to it. */
import type { Findings, Row } from './report.ts';

export type FsyncPolicy = 'everysec' | 'always';

/** What is to be reached with either. */
export type Targets = Readonly<Record<FsyncPolicy, { readonly atLeast?: number }>>;

/**
 * With Redis writing to disk once a second, and apart from it before every answer, which is how Parley starts it.
 * `measure` sets the policy.
 */
export async function eachFsync(
  targets: Targets,
  measure: (policy: FsyncPolicy, target: Targets[FsyncPolicy]) => Promise<Findings>,
): Promise<Findings> {
  const rows: Row[] = [];
  const details: Partial<Record<FsyncPolicy, unknown>> = {};
  for (const policy of ['everysec', 'always'] as const) {
    const findings = await measure(policy, targets[policy]);
    rows.push(...findings.rows);
    details[policy] = findings.details;
  }
  return { rows, details };
}
