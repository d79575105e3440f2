/** The comparison the scenarios of Chat make: Chat over gRPC, against the SDK that asks the same model directly. */
import { ChatService } from '../../gen/parley/v1/chat_service_pb.ts';
import { Role } from '../../gen/parley/v1/content_pb.ts';
import { fixedBody, TWENTY_KEYS } from './bodies.ts';
import { pathOf } from './client.ts';
import { type Comparison, inTurns, type Pace, runLoad } from './compare.ts';
import type { Timing } from './load.ts';
import { baseUrl, type ModelScript, startModel, TOKEN_BYTES } from './model.ts';
import { type ParleyServer, startParley } from './parley_server.ts';
import type { PrivateRedis } from './private_redis.ts';
import { createTalks, LINE } from './scenarios/turns.ts';
import { Sdk, type SdkLoad } from './sdk.ts';
import type { Stage } from './stage.ts';

const { chat, getContext, rewindHistory } = ChatService.method;

/** What was said in each session before, so that a prompt is more than a line. */
const TURNS_BEFORE = 10;

/** How two sides that ask one model are compared. */
export interface Asking extends Pace {
  /** Who ask again when they are answered. */
  readonly callers: number;
  /** Makes a round of so many answers, however long it takes. */
  readonly calls?: number;
  /** Whether the SDK asks no more often than Parley could, instead of as often as it can. */
  readonly sameRate?: boolean;
}

/** Both sides before one model. */
export interface Answering extends AsyncDisposable {
  readonly redis: PrivateRedis;
  compare(asking: Asking): Promise<Comparison>;
}

/** Starts them, with many more sessions than there are ever callers: a session has one answer at a time. */
export async function startAnswering(
  stage: Stage,
  script: ModelScript,
  sessions: number,
): Promise<Answering> {
  await using servers = new AsyncDisposableStack();
  const model = servers.use(await startModel(script));
  const parley = servers.use(await startParley(stage.folder, { OPENAI_BASE_URL: baseUrl(model) }));
  const sdk = servers.use(new Sdk());
  const ids = await createTalks(parley.client, sessions, TURNS_BEFORE);
  await parley.redis.settled();
  const textBytes = script.tokens * TOKEN_BYTES;
  const prompt = await promptOf(parley, ids[0]!);
  const direct = { baseUrl: baseUrl(model), ...prompt, textBytes };
  const load = {
    address: parley.address,
    path: pathOf(chat),
    bodies: ids.map((sessionId) => fixedBody(chat, { sessionId, messages: [{ content: LINE }] })),
    connections: stage.connections,
    textBytes,
    watch: parley.pids,
  };
  const stop = servers.move();
  return {
    redis: parley.redis,
    compare(asking) {
      const { callers, sameRate = false } = asking;
      let everyMs = 0;
      const subject = async (timing: Timing) => {
        const measured = await runLoad(stage.generator, { ...load, callers, ...timing });
        if (sameRate) everyMs = (1000 * callers) / measured.callsPerSecond;
        return measured;
      };
      const baseline = (timing: Timing) => sdk.run({ ...direct, callers, everyMs, ...timing });
      return inTurns(asking, { subject, baseline }, async (side) => {
        if (side === 'subject') await rewind(parley, ids);
      });
    },
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  };
}

/** What Parley sends: the SDK is to send as much. */
async function promptOf(
  { client }: ParleyServer,
  sessionId: string,
): Promise<Pick<SdkLoad, 'model' | 'messages'>> {
  const { message } = await client.call(getContext, { sessionId, messages: [{ content: LINE }] });
  const messages = message.messages.map(({ role, parts }) => {
    const content = parts.map((part) => part.content.value).join('');
    return { role: role === Role.ASSISTANT ? ('assistant' as const) : ('user' as const), content };
  });
  return { model: String(TWENTY_KEYS.model), messages };
}

/** So that every round asks with the same prompts. */
async function rewind({ client }: ParleyServer, ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((sessionId) => client.call(rewindHistory, { sessionId, toSeq: TURNS_BEFORE })));
}
