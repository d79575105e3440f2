/**
 * Tokens a second, of answers that come as fast as the model's endpoint can send them: Chat over gRPC, against a Node
 * process that reads as many answers of the same model at a time by the `openai` SDK. What is counted on both sides is
 * whole answers with all their text, from the first question to the end of the last answer: so Parley's figure has in
 * it what an answer costs at its beginning and its end, where it is written to disk. A single answer is long, for else
 * that would be all that is seen: 500 tokens are over in a hundredth of a second.
 *
 * On a machine of few cores Parley shares them with its Redis, the load generator and the model, and the SDK with the
 * model alone. What the server's own process takes for a token, in CPU, is told beside it.
 */
import { comparedRow, rounds } from '../compare.ts';
import type { Findings, Row } from '../report.ts';
import type { Stage } from '../stage.ts';
import { startAnswering } from '../versus_sdk.ts';

const SESSIONS = 1000;

/** How many answers at a time, of how many tokens, and how many of them in a second of a round. */
const CROWDS = [
  { callers: 1, tokens: 2000, answersPerSecond: 15 },
  { callers: 50, tokens: 500, answersPerSecond: 100 },
  { callers: 500, tokens: 500, answersPerSecond: 500 },
];

export async function chatTokens(stage: Stage): Promise<Findings> {
  const rows: Row[] = [];
  const details: Record<string, unknown> = {};
  for (const { callers, tokens, answersPerSecond } of CROWDS) {
    await using answering = await startAnswering(stage, { tokens, everyMs: 0 }, SESSIONS);
    const calls = Math.max(callers, Math.round(answersPerSecond * stage.pace.seconds));
    const result = await answering.compare({ ...stage.pace, callers, calls });
    const scenario = `Chat, ${callers} answer${callers === 1 ? '' : 's'} at a time`;
    rows.push(
      comparedRow(result, scenario, 'tokens/s', (m) => m.callsPerSecond * tokens, { atLeast: 0.7 }),
      comparedRow(result, scenario, 'µs CPU/token', (m) => m.cpuMicrosPerCall[0]! / tokens),
      comparedRow(result, scenario, 'ms p50 to the first', (m) => m.p50Ms),
    );
    details[scenario] = rounds(result);
  }
  return { rows, details };
}
