/** SessionService: messages in, the domain's sessions out. */
import { create, toBinary } from '@bufbuild/protobuf';
import type {
  BatchGetSessionsRequest,
  BindParticipantRequest,
  CreateSessionRequest,
  DeleteSessionRequest,
  ForkSessionRequest,
  GetSessionRequest,
  ListParticipantsRequest,
  ListSessionsRequest,
  SessionService as Proto,
  TruncateSessionRequest,
  UnbindParticipantRequest,
  UndeleteSessionRequest,
  UpdateSessionRequest,
} from '../../gen/parley/v1/session_service_pb.ts';
import {
  BatchGetSessionsResponseSchema,
  CreateSessionResponseSchema,
  ListSessionsRequestSchema,
  ListSessionsResponseSchema,
} from '../../gen/parley/v1/session_service_pb.ts';
import type { Call } from '../rpc/call.ts';
import { Page } from '../rpc/paging.ts';
import type { ServiceImpl } from '../rpc/service.ts';
import { unimplemented, unimplementedStream } from '../rpc/unimplemented.ts';
import { isSessionPosition, positionOf } from '../sessions/query.ts';
import type { Activity, Participant, Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Mutated } from '../sessions/store.ts';
import { participantMessage } from './messages.ts';
import { complete, encodeActive } from './session_encoder.ts';
import {
  keyOf,
  namespaceOf,
  newParticipant,
  newSession,
  sessionOrder,
  sessionUpdate,
} from './session_input.ts';
import { field, repeated, writeFlag, writeMessage, written } from './wire.ts';

/** The one field of every response that is a session. */
const SESSION = 1;

export class SessionService implements ServiceImpl<typeof Proto> {
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  async createSession(request: CreateSessionRequest, call: Call) {
    const key = keyOf(request);
    const input = newSession(request.session, key);
    const { answer, activity } = await this.#sessions.create(key, input, request.allowExisting, call);
    const { session, created } = answer;
    return written((writer) => {
      writeMessage(writer, SESSION, encodeActive({ session, activity }));
      writeFlag(writer, CreateSessionResponseSchema.field.created.number, created);
    });
  }

  async getSession(request: GetSessionRequest) {
    return field(SESSION, complete(await this.#sessions.getEncoded(keyOf(request), request.includeDeleted)));
  }

  async batchGetSessions(request: BatchGetSessionsRequest) {
    const { sessionIds, includeDeleted } = request;
    const { sessions, missing } = await this.#sessions.getManyEncoded(
      namespaceOf(request),
      sessionIds,
      includeDeleted,
    );
    const rest = create(BatchGetSessionsResponseSchema, { missingSessionIds: missing });
    return repeated(SESSION, sessions.map(complete), toBinary(BatchGetSessionsResponseSchema, rest));
  }

  async listSessions(request: ListSessionsRequest, call: Call) {
    const page = new Page(ListSessionsRequestSchema, request, isSessionPosition);
    const order = sessionOrder(request.orderBy);
    const found = this.#sessions.list(
      {
        namespace: namespaceOf(request),
        includeDeleted: request.includeDeleted,
        userId: request.userId,
        agentId: request.agentId,
        metadataFilter: request.metadataFilter,
        configsFilter: request.filterByConfigs,
        order,
        after: page.after,
        expected: request.skip + page.size + 1, // one more tells whether there is a next page
      },
      call.signal,
    );
    let skipped = 0;
    for await (const active of found) {
      if (skipped++ < request.skip) continue;
      if (!page.add(encodeActive(active), positionOf(active.session, order))) break;
    }
    const rest = create(ListSessionsResponseSchema, { nextPageToken: page.nextPageToken });
    return repeated(SESSION, page.items, toBinary(ListSessionsResponseSchema, rest));
  }

  async updateSession(request: UpdateSessionRequest, call: Call) {
    return sessionAnswer(await this.#sessions.update(keyOf(request), sessionUpdate(request), call));
  }

  async deleteSession(request: DeleteSessionRequest, call: Call) {
    const { answer, activity } = await this.#sessions.delete(keyOf(request), request, call);
    return answer ? sessionAnswer({ answer, activity }) : {};
  }

  async undeleteSession(request: UndeleteSessionRequest, call: Call) {
    return sessionAnswer(await this.#sessions.undelete(keyOf(request), request.etag, call));
  }

  async truncateSession(request: TruncateSessionRequest, call: Call) {
    return sessionAnswer(await this.#sessions.truncate(keyOf(request), request.etag, call));
  }

  async forkSession(request: ForkSessionRequest, call: Call) {
    const { newSessionId, throughSeq } = request;
    return sessionAnswer(await this.#sessions.fork(keyOf(request), newSessionId, throughSeq, call));
  }

  async bindParticipant(request: BindParticipantRequest, call: Call) {
    const input = newParticipant(request.participant!);
    const { answer, activity } = await this.#sessions.bindParticipant(
      keyOf(request),
      input,
      request.etag,
      call,
    );
    const { participant, created } = answer;
    return { participant: counted(participant, activity), created };
  }

  async unbindParticipant(request: UnbindParticipantRequest, call: Call) {
    const { participantId, etag } = request;
    const { answer, activity } = await this.#sessions.unbindParticipant(
      keyOf(request),
      participantId,
      etag,
      call,
    );
    return { participant: counted(answer, activity) };
  }

  async listParticipants(request: ListParticipantsRequest) {
    const { answer, activity } = await this.#sessions.participants(keyOf(request), request.includeUnbound);
    return { participants: answer.map((participant) => counted(participant, activity)) };
  }

  // Of later versions; the API has them already.
  integrateSession = unimplementedStream;
  listInsights = unimplemented;
}

function sessionAnswer({ answer, activity }: Mutated<Session>): Uint8Array {
  return field(SESSION, encodeActive({ session: answer, activity }));
}

function counted(participant: Participant, { turnsBy }: Activity) {
  return participantMessage(participant, turnsBy?.[participant.participantId]);
}
