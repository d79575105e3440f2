/** A whole server in this process, over the run's Redis, with everything a test stores under a prefix of its own. */
import { randomUUID } from 'node:crypto';
import type { DescService } from '@bufbuild/protobuf';
import { type Client, createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import pino from 'pino';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { Health } from '../gen/health/v1/health_pb.ts';
import { ChatService } from '../gen/parley/v1/chat_service_pb.ts';
import { ConfigsService } from '../gen/parley/v1/configs_service_pb.ts';
import { DocumentService } from '../gen/parley/v1/document_service_pb.ts';
import { SessionService } from '../gen/parley/v1/session_service_pb.ts';
import { startServer } from '../src/server.ts';
import { readSettings } from '../src/settings.ts';

export interface Clients {
  readonly sessions: Client<typeof SessionService>;
  readonly configs: Client<typeof ConfigsService>;
  readonly chat: Client<typeof ChatService>;
  readonly documents: Client<typeof DocumentService>;
  readonly health: Client<typeof Health>;
  close(): void;
}

export interface Parley extends Clients {
  readonly port: number;
  readonly keyPrefix: string;
  /** Stops as a signal would make it, and returns when everything is closed. */
  stop(): Promise<void>;
}

/** Starts a server with some settings of its own; whoever starts it stops it. */
export async function startParley(settings: NodeJS.ProcessEnv = {}): Promise<Parley> {
  const env = {
    PARLEY_ADDRESS: '127.0.0.1:0',
    REDIS_URL: inject('redisUrl'),
    PARLEY_SHUTDOWN_GRACE: '1s', // for tests that leave a stream unread
    PARLEY_KEY_PREFIX: `test-${randomUUID()}`,
    ...settings,
  };
  const defects: string[] = [];
  const log = pino({ level: 'error' }, { write: (line) => void defects.push(line) });
  const server = await startServer(readSettings(env), log, () => {});
  const address = server.addresses[0]!;
  const clients = connect(address);
  return {
    ...clients,
    port: Number(address.split(':').at(-1)),
    keyPrefix: env.PARLEY_KEY_PREFIX!,
    stop: async () => {
      await server.stop();
      clients.close();
      expect(defects.filter((line) => line.includes('defect'))).toEqual([]);
    },
  };
}

/** One server for all tests of a file; a defect it logs fails the file. */
export function useParley(settings: NodeJS.ProcessEnv = {}): Parley {
  const parley = {} as { -readonly [K in keyof Parley]: Parley[K] };
  beforeAll(async () => void Object.assign(parley, await startParley(settings)));
  afterAll(() => parley.stop());
  return parley;
}

/** Typed clients over one connection. */
export function connect(address: string): Clients {
  const sessionManager = new Http2SessionManager(`http://${address}`);
  const transport = createGrpcTransport({ baseUrl: `http://${address}`, sessionManager });
  const client = <S extends DescService>(service: S) => createClient(service, transport);
  return {
    sessions: client(SessionService),
    configs: client(ConfigsService),
    chat: client(ChatService),
    documents: client(DocumentService),
    health: client(Health),
    close: () => sessionManager.abort(),
  };
}

/** An id that no other test uses; good for sessions, namespaces, participants and requests. */
export function newId(): string {
  return `id-${randomUUID()}`;
}
