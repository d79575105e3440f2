/** Every mutating RPC, ready to be called on a session of its own: what idempotency and etags hold for, they hold for all. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { toBinary } from '@bufbuild/protobuf';
import * as Chat from '../../gen/parley/v1/chat_service_pb.ts';
import * as Configs from '../../gen/parley/v1/configs_service_pb.ts';
import * as Sessions from '../../gen/parley/v1/session_service_pb.ts';
import type { Clients } from '../harness.ts';

/** How a mutation is asked for; `other` makes it another request. */
export interface Ask {
  readonly sessionId: string;
  readonly requestId?: string;
  readonly etag?: string;
  readonly other?: boolean;
}

export interface Mutation {
  readonly name: string;
  /** Takes no etag. */
  readonly etagless?: true;
  /** Has no field by which one request could be another than the next. */
  readonly alwaysSame?: true;
  /** Brings a session with configs, revision 2, into the state in which the mutation succeeds. */
  readonly prepare?: (parley: Clients, sessionId: string) => Promise<unknown>;
  /** Answers with the response, encoded. */
  readonly call: (parley: Clients, ask: Ask) => Promise<string>;
}

const { ParticipantKind } = Sessions;
const USER = ParticipantKind.USER;

async function encoded<S extends DescMessage>(schema: S, answer: Promise<MessageShape<S>>): Promise<string> {
  return Buffer.from(toBinary(schema, await answer)).toString('base64');
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'UpdateSession',
    call: ({ sessions }, { other, ...ask }) =>
      encoded(
        Sessions.UpdateSessionResponseSchema,
        sessions.updateSession({ ...ask, session: { displayName: other ? 'b' : 'a' } }),
      ),
  },
  {
    name: 'DeleteSession',
    call: ({ sessions }, { other = false, ...ask }) =>
      encoded(Sessions.DeleteSessionResponseSchema, sessions.deleteSession({ ...ask, allowMissing: other })),
  },
  {
    name: 'DeleteSession, permanent',
    call: ({ sessions }, { other = false, ...ask }) =>
      encoded(
        Sessions.DeleteSessionResponseSchema,
        sessions.deleteSession({ ...ask, permanent: true, allowMissing: other }),
      ),
  },
  {
    name: 'UndeleteSession',
    prepare: ({ sessions }, sessionId) => sessions.deleteSession({ sessionId }),
    call: ({ sessions }, { other, ...ask }) =>
      encoded(
        Sessions.UndeleteSessionResponseSchema,
        sessions.undeleteSession({ ...ask, ...(other && { etag: 'other' }) }),
      ),
  },
  {
    name: 'BindParticipant',
    call: ({ sessions }, { other, ...ask }) =>
      encoded(
        Sessions.BindParticipantResponseSchema,
        sessions.bindParticipant({ ...ask, participant: { participantId: other ? 'b' : 'a', kind: USER } }),
      ),
  },
  {
    name: 'UnbindParticipant',
    prepare: ({ sessions }, sessionId) =>
      sessions.bindParticipant({ sessionId, participant: { participantId: 'a', kind: USER } }),
    call: ({ sessions }, { other, ...ask }) =>
      encoded(
        Sessions.UnbindParticipantResponseSchema,
        sessions.unbindParticipant({ ...ask, participantId: other ? 'b' : 'a' }),
      ),
  },
  {
    name: 'UpdateConfigs',
    call: ({ configs }, { other, ...ask }) =>
      encoded(
        Configs.UpdateConfigsResponseSchema,
        configs.updateConfigs({ ...ask, configs: { replaced: other ? 'b' : 'a' } }),
      ),
  },
  {
    name: 'PatchConfigs',
    call: ({ configs }, { other, ...ask }) =>
      encoded(
        Configs.PatchConfigsResponseSchema,
        configs.patchConfigs({ ...ask, configs: { patched: other ? 'b' : 'a' } }),
      ),
  },
  {
    name: 'DeleteConfigs',
    call: ({ configs }, { other, ...ask }) =>
      encoded(
        Configs.DeleteConfigsResponseSchema,
        configs.deleteConfigs({ ...ask, ...(other && { etag: 'other' }) }),
      ),
  },
  {
    name: 'RollbackConfigs',
    call: ({ configs }, { other, ...ask }) =>
      encoded(
        Configs.RollbackConfigsResponseSchema,
        configs.rollbackConfigs({ ...ask, revision: other ? 2 : 1 }),
      ),
  },
  {
    name: 'TruncateSession',
    prepare: talk,
    call: ({ sessions }, { other, ...ask }) =>
      encoded(
        Sessions.TruncateSessionResponseSchema,
        sessions.truncateSession({ ...ask, ...(other && { etag: 'other' }) }),
      ),
  },
  {
    name: 'ForkSession',
    etagless: true,
    prepare: talk,
    call: ({ sessions }, { other, ...ask }) =>
      encoded(
        Sessions.ForkSessionResponseSchema,
        sessions.forkSession({ ...ask, ...(other && { throughSeq: 1 }) }),
      ),
  },
  {
    name: 'AppendTurns',
    etagless: true,
    prepare: talk,
    call: ({ chat }, { other, ...ask }) =>
      encoded(
        Chat.AppendTurnsResponseSchema,
        chat.appendTurns({ ...ask, messages: [{ content: other ? 'b' : 'a' }] }),
      ),
  },
  {
    name: 'ClearHistory',
    etagless: true,
    alwaysSame: true,
    prepare: talk,
    call: ({ chat }, { other, ...ask }) => encoded(Chat.ClearHistoryResponseSchema, chat.clearHistory(ask)),
  },
  {
    name: 'RewindHistory',
    etagless: true,
    prepare: talk,
    call: ({ chat }, { other, ...ask }) =>
      encoded(Chat.RewindHistoryResponseSchema, chat.rewindHistory({ ...ask, toSeq: other ? 2 : 1 })),
  },
];

async function talk({ chat }: Clients, sessionId: string): Promise<void> {
  await chat.appendTurns({ sessionId, messages: ['a', 'b', 'c'].map((content) => ({ content })) });
}

/** A session in the state a mutation asks for. */
export async function sessionFor(parley: Clients, sessionId: string, { prepare }: Mutation): Promise<void> {
  await parley.sessions.createSession({ sessionId, session: { configs: { revision: 'one' } } });
  await parley.configs.updateConfigs({ sessionId, configs: { revision: 'two' } });
  await prepare?.(parley, sessionId);
}
