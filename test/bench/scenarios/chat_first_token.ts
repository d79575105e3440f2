/**
 * What Parley adds to the time to the first token: from the moment a Chat is sent over gRPC to its first text, against
 * a Node process that asks the same model with the same prompt by the `openai` SDK, from the call to the first text in
 * its hands. One question at a time, in rounds turn about.
 *
 * The model answers at once, from a process of its own; Parley stores the question before it asks, with Redis writing
 * to disk before every answer, as it does by default. The load generator reads the stream from Parley, and the SDK's
 * process the model's: each is measured by a clock of its own, on both ends of what it measures.
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
  const result = await answering.compare(1, stage.pace);
  const scenario = 'Chat, first token';
  return {
    rows: [
      comparedRow(result, scenario, 'ms p50', (m) => m.p50Ms),
      comparedRow(result, scenario, 'ms p99', (m) => m.p99Ms),
      added(result, 'ms p50', (m) => m.p50Ms, { atMost: 3 }),
      added(result, 'ms p99', (m) => m.p99Ms),
    ],
    details: rounds(result),
  };
}

/** The median of subject − baseline, taken pair by pair. */
function added(
  { subject, baseline }: Comparison,
  unit: string,
  value: (measured: Measured) => number,
  target?: Row['target'],
): Row {
  const differences = subject.map((measured, round) => value(measured) - value(baseline[round]!));
  return {
    scenario: 'Chat, first token, added',
    unit,
    parley: median(differences),
    ...(target && { target }),
  };
}
