/** SessionService: messages in, the domain's sessions out. */
import { create, toBinary } from '@bufbuild/protobuf';
import type {
  BatchGetSessionsRequest,
  BindParticipantRequest,
  CreateSessionRequest,
  DeleteSessionRequest,
  GetSessionRequest,
  ListParticipantsRequest,
  ListSessionsRequest,
  SessionService as Proto,
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
import type { Sessions } from '../sessions/sessions.ts';
import { field, participantMessage, repeated, sessionEncoder } from './messages.ts';
import {
  keyOf,
  namespaceOf,
  newParticipant,
  newSession,
  sessionOrder,
  sessionUpdate,
} from './session_input.ts';

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
    const { session, created } = await this.#sessions.create(key, input, request.allowExisting, call);
    const rest = toBinary(CreateSessionResponseSchema, create(CreateSessionResponseSchema, { created }));
    return Buffer.concat([field(SESSION, sessionEncoder.encode(session)), rest]);
  }

  async getSession(request: GetSessionRequest) {
    return field(SESSION, await this.#sessions.getEncoded(keyOf(request), request.includeDeleted));
  }

  async batchGetSessions(request: BatchGetSessionsRequest) {
    const { sessionIds, includeDeleted } = request;
    const { sessions, missing } = await this.#sessions.getManyEncoded(
      namespaceOf(request),
      sessionIds,
      includeDeleted,
    );
    const rest = create(BatchGetSessionsResponseSchema, { missingSessionIds: missing });
    return repeated(SESSION, sessions, toBinary(BatchGetSessionsResponseSchema, rest));
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
    for await (const session of found) {
      if (skipped++ < request.skip) continue;
      if (!page.add(sessionEncoder.encode(session), positionOf(session, order))) break;
    }
    const rest = create(ListSessionsResponseSchema, { nextPageToken: page.nextPageToken });
    return repeated(SESSION, page.items, toBinary(ListSessionsResponseSchema, rest));
  }

  async updateSession(request: UpdateSessionRequest, call: Call) {
    return field(
      SESSION,
      sessionEncoder.encode(await this.#sessions.update(keyOf(request), sessionUpdate(request), call)),
    );
  }

  async deleteSession(request: DeleteSessionRequest, call: Call) {
    const session = await this.#sessions.delete(keyOf(request), request, call);
    return session ? field(SESSION, sessionEncoder.encode(session)) : {};
  }

  async undeleteSession(request: UndeleteSessionRequest, call: Call) {
    return field(
      SESSION,
      sessionEncoder.encode(await this.#sessions.undelete(keyOf(request), request.etag, call)),
    );
  }

  async bindParticipant(request: BindParticipantRequest, call: Call) {
    const input = newParticipant(request.participant!);
    const { participant, created } = await this.#sessions.bindParticipant(
      keyOf(request),
      input,
      request.etag,
      call,
    );
    return { participant: participantMessage(participant), created };
  }

  async unbindParticipant(request: UnbindParticipantRequest, call: Call) {
    const { participantId, etag } = request;
    const participant = await this.#sessions.unbindParticipant(keyOf(request), participantId, etag, call);
    return { participant: participantMessage(participant) };
  }

  async listParticipants(request: ListParticipantsRequest) {
    const participants = await this.#sessions.participants(keyOf(request), request.includeUnbound);
    return { participants: participants.map(participantMessage) };
  }

  // Of later versions; the API has them already.
  truncateSession = unimplemented;
  forkSession = unimplemented;
  integrateSession = unimplementedStream;
  listInsights = unimplemented;
}
