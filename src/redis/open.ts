/** Everything of Redis, opened and ready: the given one or a private one, checked, and indexed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { FrameWriter } from '../chat/frames.ts';
import type { RunLog } from '../chat/run.ts';
import type { TurnLog } from '../chat/turns.ts';
import type { DocumentStore } from '../documents/store.ts';
import { StartError } from '../errors.ts';
import type { InsightLog } from '../integration/insight.ts';
import type { Milliseconds } from '../sessions/session.ts';
import type { Doorbell, RevisionLog, SessionStore } from '../sessions/store.ts';
import type { Settings } from '../settings.ts';
import { checkRedis } from './check.ts';
import { Connection } from './connection.ts';
import { ensureDocumentIndex } from './document_index.ts';
import { RedisDocuments } from './documents.ts';
import { RedisDoorbell } from './doorbell.ts';
import { startEmbeddedRedis } from './embedded.ts';
import { RedisInsights } from './insights.ts';
import { Keys } from './keys.ts';
import { RedisRuns } from './runs.ts';
import { ensureSessionIndex } from './session_index.ts';
import { RedisSessions, type SessionEncoder } from './sessions.ts';
import { RedisTurns } from './turns.ts';

/** How long a given Redis may take to answer at start. */
const CONNECT_TIMEOUT: Milliseconds = 10_000;
/** How often one that is back, but no good, is looked at again. */
const RECHECK_INTERVAL: Milliseconds = 1000;

export interface OpenRedis {
  readonly sessions: SessionStore & RevisionLog;
  readonly turns: TurnLog;
  readonly runs: RunLog;
  readonly insights: InsightLog;
  readonly documents: DocumentStore;
  readonly doorbell: Doorbell;
  /** Calls back now and whenever it changes: whether Redis answers. */
  onHealth(report: (up: boolean) => void): void;
  close(): Promise<void>;
}

/** What stored sessions and turns are to those who read them; services/ knows. */
export interface Encoders {
  readonly session: SessionEncoder;
  readonly writeFrame: FrameWriter;
}

export async function openRedis(
  settings: Settings,
  encoders: Encoders,
  log: Logger,
  announce: (line: string) => void,
): Promise<OpenRedis> {
  const embedded = settings.redisUrl ? undefined : await startEmbedded(settings, log, announce);
  const url = settings.redisUrl ?? embedded!.path;
  const connection = new Connection(url);
  const keys = new Keys(settings.keyPrefix);
  const sessions = new RedisSessions(connection, keys, encoders.session);
  const doorbell = new RedisDoorbell(connection, keys);
  const close = async () => {
    doorbell.close();
    connection.close();
    await embedded?.stop();
  };
  try {
    await answering(connection, url);
    await checkRedis(connection);
    await ensureSessionIndex(connection, keys);
    await ensureDocumentIndex(connection, keys);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    sessions,
    turns: new RedisTurns(connection, keys, doorbell, encoders.writeFrame),
    runs: new RedisRuns(connection, keys, doorbell, settings.runLease),
    insights: new RedisInsights(connection, keys, settings.runLease),
    documents: new RedisDocuments(connection, keys),
    doorbell,
    onHealth: (report) => reportHealth(connection, keys, log, report),
    close,
  };
}

function startEmbedded(
  { dataDir, redisServer, redisModules }: Settings,
  log: Logger,
  announce: (line: string) => void,
) {
  return startEmbeddedRedis({
    dataDir,
    server: redisServer,
    modulesDir: redisModules,
    announce,
    onExit: (line) => log.error(line),
  });
}

async function answering(connection: Connection, url: string): Promise<void> {
  const deadline = Date.now() + CONNECT_TIMEOUT;
  while (!connection.isUp) {
    if (Date.now() > deadline) {
      const why = connection.lastError?.message ?? 'it is silent';
      throw new StartError(`no Redis answers at ${withoutPassword(url)}: ${why}`);
    }
    await sleep(20);
  }
}

function reportHealth(connection: Connection, keys: Keys, log: Logger, report: (up: boolean) => void): void {
  report(connection.isUp);
  connection.on('down', () => {
    log.error('Redis does not answer');
    report(false);
  });
  connection.on('up', async () => {
    for (; connection.isUp; await sleep(RECHECK_INTERVAL)) {
      try {
        // It may be another one than before, or have lost its memory.
        await checkRedis(connection);
        await ensureSessionIndex(connection, keys);
        await ensureDocumentIndex(connection, keys);
        log.info('Redis answers');
        return report(connection.isUp);
      } catch (err) {
        log.error({ err }, 'Redis is back, but cannot be used');
      }
    }
  });
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/.*@/, '//…@');
}
