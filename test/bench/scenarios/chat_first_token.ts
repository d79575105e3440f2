/**
 * What Parley adds to the time to the first token: from the moment a Chat is sent over gRPC to its first text, against
 * a Node process that asks the same model with the same prompt by the `openai` SDK, from the call to the first text in
 * its hands. One question at a time, in rounds turn about. The model answers at once, in a process of its own. Both
 * sides ask as many questions a second, as many as Parley can answer: the SDK asked without a rest takes half the time,
 * since neither its process nor the model's ever gets cold, and that is no merit of leaving Parley out.
 *
 * A token is stored before it is told, and so is the question: with Redis writing to disk before each answer, as Parley
 * starts it, there are two waits for the disk on the way. How long those take the disk decides; measured with Redis
 * writing once a second, the rest is left.
 *
 * The load generator reads Parley's stream, and the SDK's process the model's: either has both ends of what it
 * measures in its own process, on one clock.
 */
import { type Comparison, comparedRow, median, rounds } from '../compare.ts';
import type { Measured } from '../load.ts';
import type { Findings, Row } from '../report.ts';
import type { Stage } from '../stage.ts';
import { startAnswering } from '../versus_sdk.ts';

/** Few, as only the first matters. */
const TOKENS = 16;
const SESSIONS = 256;

export async function chatFirstToken(stage: Stage): Promise<Findings> {
  await using answering = await startAnswering(stage, { tokens: TOKENS, everyMs: 0 }, SESSIONS);
  const rows: Row[] = [];
  const details: Record<string, unknown> = {};
  for (const policy of ['always', 'everysec'] as const) {
    await answering.redis.appendFsync(policy);
    const result = await answering.compare({ ...stage.pace, callers: 1, sameRate: true });
    const scenario = `Chat, first token, appendfsync ${policy}`;
    rows.push(
      comparedRow(result, scenario, 'ms p50', (m) => m.p50Ms),
      comparedRow(result, scenario, 'ms p99', (m) => m.p99Ms),
      added(result, scenario, 'ms p50', (m) => m.p50Ms, { atMost: 3 }),
      added(result, scenario, 'ms p99', (m) => m.p99Ms),
    );
    details[policy] = rounds(result);
  }
  return { rows, details };
}

/** The median of subject − baseline, taken pair by pair. */
function added(
  { subject, baseline }: Comparison,
  scenario: string,
  unit: string,
  value: (measured: Measured) => number,
  target?: Row['target'],
): Row {
  const differences = subject.map((measured, round) => value(measured) - value(baseline[round]!));
  return { scenario, unit: `${unit} added`, parley: median(differences), ...(target && { target }) };
}
