/**
 * ResumeChat of an answer that has ended, from its first event to its last, one call at a time: from the moment the
 * call is sent to the end of the stream. The answer came at the pace of a fast model, so that nearly every token is an
 * event of its own, and not as fast as an endpoint can send, when Parley would have put many into one.
 */
import { ChatService } from '../../../gen/parley/v1/chat_service_pb.ts';
import { fixedBody } from '../bodies.ts';
import { type ParleyClient, pathOf } from '../client.ts';
import { median, runLoad } from '../compare.ts';
import type { Measured } from '../load.ts';
import { baseUrl, startModel, TOKEN_BYTES } from '../model.ts';
import { startParley } from '../parley_server.ts';
import { brief, type Findings } from '../report.ts';
import type { Stage } from '../stage.ts';
import { createSessions } from './sessions.ts';
import { LINE } from './turns.ts';

const { chat, resumeChat } = ChatService.method;

const TOKENS = 2000;
const EVERY_MS = 12;
/** Resumed in turn. */
const ANSWERS = 4;

export async function chatResume(stage: Stage): Promise<Findings> {
  await using model = await startModel({ tokens: TOKENS, everyMs: EVERY_MS });
  await using parley = await startParley(stage.folder, { OPENAI_BASE_URL: baseUrl(model) });
  const ids = await createSessions(parley.client, ANSWERS);
  const answers = await Promise.all(ids.map((sessionId) => answer(parley.client, sessionId)));
  await parley.redis.settled();
  const load = {
    address: parley.address,
    path: pathOf(resumeChat),
    bodies: answers.map(({ sessionId, runId }) => fixedBody(resumeChat, { sessionId, runId })),
    connections: 1,
    callers: 1,
    watch: parley.pids,
    warmUpSeconds: stage.pace.warmUpSeconds,
  };
  const measured: Measured[] = [];
  for (let round = 0; round < stage.pace.rounds; round++) {
    measured.push(await runLoad(stage.generator, { ...load, until: { seconds: stage.pace.seconds } }));
  }
  const events = median(answers.map(({ events }) => events));
  const scenario = `ResumeChat of ${TOKENS.toLocaleString('en')} tokens in ${events.toLocaleString('en')} events`;
  const row = (unit: string, value: (measured: Measured) => number) => ({
    scenario,
    unit,
    parley: median(measured.map(value)),
  });
  return {
    rows: [
      { ...row('ms p50', (m) => m.p50Ms), target: { atMost: 20 } },
      row('ms p99', (m) => m.p99Ms),
      row('µs CPU/event', (m) => m.cpuMicrosPerCall[0]! / events),
    ],
    details: { events: answers.map(({ events }) => events), rounds: measured.map(brief) },
  };
}

interface Answered {
  readonly sessionId: string;
  readonly runId: string;
  readonly events: number;
}

/** Has a question answered, and looks whether resuming it would bring all that came. */
async function answer(client: ParleyClient, sessionId: string): Promise<Answered> {
  const came = await client.all(chat, { sessionId, messages: [{ content: LINE }] });
  const { runId } = came[0]!.event!;
  const resumed = await client.all(resumeChat, { sessionId, runId });
  const texts = [came, resumed].map((events) =>
    events.map(({ event }) => (event!.event.case === 'textDelta' ? event!.event.value : '')).join(''),
  );
  const whole =
    resumed.at(-1)?.event?.event.case === 'completed' && texts[0]!.length === TOKENS * TOKEN_BYTES;
  if (!whole || texts[0] !== texts[1] || came.length !== resumed.length)
    throw new Error('a run that is not the same again');
  return { sessionId, runId, events: came.length };
}
