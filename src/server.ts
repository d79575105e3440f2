/** The composition root: builds everything once, in order, and closes it in reverse. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { ServerReflection } from '../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { Health as HealthService } from '../gen/health/v1/health_pb.ts';
import { ChatService as ChatProto } from '../gen/parley/v1/chat_service_pb.ts';
import { ConfigsService as ConfigsProto } from '../gen/parley/v1/configs_service_pb.ts';
import { DocumentService as DocumentProto } from '../gen/parley/v1/document_service_pb.ts';
import { SessionService as SessionProto } from '../gen/parley/v1/session_service_pb.ts';
import { ActiveRuns } from './chat/active_runs.ts';
import { Follow } from './chat/follow.ts';
import { History } from './chat/history.ts';
import { Prompts, type Recall } from './chat/prompts.ts';
import { RunEnding } from './chat/run_ending.ts';
import { RunEvents } from './chat/run_events.ts';
import { RunKeeper } from './chat/run_keeper.ts';
import { RunStarter } from './chat/run_starter.ts';
import { Runs } from './chat/runs.ts';
import { Configs } from './configs/configs.ts';
import { Documents } from './documents/documents.ts';
import { DocumentRecall } from './documents/recall.ts';
import { PassageSearch } from './documents/search.ts';
import { StartError } from './errors.ts';
import { Integrations } from './integration/integrations.ts';
import { interceptors } from './interceptors/index.ts';
import type { Embedder } from './models/embedder.ts';
import { ModelTable } from './models/models.ts';
import { OpenAiModel } from './models/openai.ts';
import type { Endpoint } from './models/openai_client.ts';
import { OpenAiEmbedder } from './models/openai_embedder.ts';
import type { ModelFailed } from './models/openai_errors.ts';
import { type OpenRedis, openRedis } from './redis/open.ts';
import { Health } from './rpc/health.ts';
import { Reflection } from './rpc/reflection.ts';
import { serve } from './rpc/serve.ts';
import { releaseStreams } from './rpc/stream_table.ts';
import { writeAhead } from './rpc/write_ahead.ts';
import { ChatService } from './services/chat.ts';
import { ConfigsService } from './services/configs.ts';
import { DocumentService } from './services/document.ts';
import { runEncoder } from './services/run_encoder.ts';
import { SessionService } from './services/session.ts';
import { sessionEncoder } from './services/session_encoder.ts';
import { followEncoder, writeFrame } from './services/turn_messages.ts';
import type { Milliseconds } from './sessions/session.ts';
import { Sessions } from './sessions/sessions.ts';
import type { Settings } from './settings.ts';
import { TemplateRenderer } from './templates/renderer.ts';
import type { Templates } from './templates/template.ts';
import { countTurns } from './tokens/turn_counter.ts';

/** A server that serves. */
export interface RunningServer {
  /** Where it listens, ports picked. */
  readonly addresses: readonly string[];
  /** Stops taking calls, lets those under way finish within the grace period, and closes everything. */
  stop(): Promise<void>;
}

/** What a gRPC server takes by default: more than the largest session, its participants and Structs at their limits. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** Starts a server. Throws, with everything closed again, when it cannot. */
export async function startServer(
  settings: Settings,
  log: Logger,
  announce: (line: string) => void,
): Promise<RunningServer> {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0)) await closer();
  };
  try {
    const redis = await openRedis(settings, { session: sessionEncoder, writeFrame }, log, announce);
    closers.unshift(() => redis.close());
    const templates = new TemplateRenderer();
    closers.unshift(() => templates.close());
    const embedder = embedderOf(settings, failureLog(log));
    const search = new PassageSearch(redis.documents);
    const documents = new Documents(redis.documents, search, embedder);
    const recall = new DocumentRecall(redis.documents, search, embedder, (err) =>
      log.warn({ err }, 'documents were not recalled'),
    );
    const chat = startChat(redis, templates, recall, settings, log);
    closers.unshift(() => chat.keeper.close());
    closers.unshift(() => chat.integrations.settled());

    closers.unshift(releaseStreams());
    const stopping = new AbortController();
    // What it tells the console beyond our log is for those who ask for it.
    if (!process.env.GRPC_VERBOSITY) setLogVerbosity(logVerbosity.NONE);
    const server = new Server(GRPC_OPTIONS);
    const pipeline = { interceptors: interceptors(log), stopping: stopping.signal };
    const services = [
      SessionProto,
      ConfigsProto,
      ChatProto,
      DocumentProto,
      HealthService,
      ServerReflection,
      ServerReflectionAlpha,
    ];
    const health = new Health(services);
    const reflection = new Reflection(services);
    serve(
      server,
      SessionProto,
      new SessionService(
        new Sessions(redis.sessions, redis.turns, settings.deletedRetention, templates, chat.ending),
        chat.integrations,
      ),
      pipeline,
    );
    serve(server, ConfigsProto, new ConfigsService(new Configs(redis.sessions, redis.doorbell)), pipeline);
    serve(server, ChatProto, chat.service, pipeline);
    serve(server, DocumentProto, new DocumentService(documents), pipeline);
    serve(server, HealthService, health, pipeline);
    serve(server, ServerReflection, reflection, pipeline);
    serve(server, ServerReflectionAlpha, reflection, pipeline);
    redis.onHealth((up) => health.set(up ? 'SERVING' : 'NOT_SERVING'));

    const addresses: string[] = [];
    // Answers may be made to their end while the last calls go out.
    closers.unshift(async () => {
      const down = shutDown(server, addresses, settings.shutdownGrace);
      await chat.runs.stop(Math.max(settings.shutdownGrace - LAST_EVENTS, settings.shutdownGrace / 2));
      await down;
    });
    closers.unshift(async () => {
      health.stop();
      await nextTurn(); // watchers hear of it before their stream ends
      stopping.abort();
    });
    for (const address of settings.addresses) addresses.push(await listen(server, address));
    return { addresses, stop: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What is kept of the grace period for telling of answers that are abandoned. */
const LAST_EVENTS: Milliseconds = 500;

function endpointOf({ openaiBaseUrl, openaiApiKey }: Settings): Endpoint {
  return { baseUrl: openaiBaseUrl, apiKey: openaiApiKey };
}

function embedderOf(settings: Settings, failed: ModelFailed): Embedder | undefined {
  const { embeddingModel: model } = settings;
  return model === undefined ? undefined : new OpenAiEmbedder(endpointOf(settings), model, failed);
}

/** Callers are told why in our words; the endpoint's own are for whoever runs the server. */
function failureLog(log: Logger): ModelFailed {
  return (err, model) => log.warn({ err, model }, 'a model failed');
}

/** What ChatService is made of, and what else asks models. */
function startChat(redis: OpenRedis, templates: Templates, recall: Recall, settings: Settings, log: Logger) {
  const { sessions, turns, insights } = redis;
  const defect = (err: unknown) => log.error({ err }, 'a run failed by a defect');
  const runLog = redis.runs;
  const count = countTurns;
  const ending = new RunEnding(runLog, runEncoder, count);
  const events = new RunEvents(runLog);
  const models = new ModelTable(new OpenAiModel(endpointOf(settings), failureLog(log)));
  const decode = runEncoder.turns;
  const prompts = new Prompts({
    sessions,
    turns,
    runs: runLog,
    insights,
    models,
    templates,
    recall,
    decode,
    defaultModel: settings.defaultModel,
    summaryModel: settings.summaryModel,
  });
  const integrations = new Integrations({
    sessions,
    turns,
    insights,
    models,
    decode,
    defaultModel: settings.summaryModel,
  });
  const active = new ActiveRuns(
    { log: runLog, encoder: runEncoder, count, tell: (key, news) => events.tell(key, news), defect },
    prompts,
  );
  const starter = new RunStarter({ log: runLog, encoder: runEncoder, prompts, ending, active });
  const runs = new Runs({ log: runLog, prompts, events, ending, active, starter, sessions, defect });
  const follow = new Follow(turns, events, followEncoder);
  const service = new ChatService(new History(turns, ending), follow, runs, count);
  return { service, runs, ending, integrations, keeper: new RunKeeper(runLog, ending, defect) };
}

const GRPC_OPTIONS = {
  interceptors: [writeAhead],
  'grpc.enable_channelz': 0, // 20 to 40 % of the throughput
  'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
  'grpc.max_concurrent_streams': 1000,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.max_connection_idle_ms': 60 * 60_000,
  // Now and then connections are made anew, so that a fleet of servers shares the load.
  'grpc.max_connection_age_ms': 12 * 60 * 60_000,
  'grpc.max_connection_age_grace_ms': 60 * 60_000,
};

function listen(server: Server, address: string): Promise<string> {
  const host = address.slice(0, address.lastIndexOf(':'));
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error
        ? reject(new StartError(`PARLEY_ADDRESS: cannot listen on ${address}: ${error.message}`))
        : resolve(`${host}:${port}`),
    );
  });
}

/** How long a connection that was cut off may take to go; one whose peer does not read never does. */
const CUT_OFF: Milliseconds = 300;

/**
 * Lets calls under way finish, and cuts off what is left after the grace period: by draining, because with
 * channelz off grpc-js 1.14's forceShutdown knows of no connection to cut.
 */
function shutDown(server: Server, addresses: readonly string[], grace: Milliseconds): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(resolve, grace + CUT_OFF);
    for (const address of addresses) server.drain(address, grace);
    server.tryShutdown(() => {
      clearTimeout(limit);
      resolve();
    });
  });
}
