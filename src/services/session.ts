/** SessionService: messages in, the domain's sessions out. */
import { create, toBinary } from '@bufbuild/protobuf';
import type {
  BatchGetSessionsRequest,
  BindParticipantRequest,
  CreateSessionRequest,
  DeleteSessionRequest,
  ForkSessionRequest,
  GetSessionRequest,
  IntegrateSessionRequest,
  ListInsightsRequest,
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
  InsightSchema,
  ListInsightsRequestSchema,
  ListInsightsResponseSchema,
  ListSessionsRequestSchema,
  ListSessionsResponseSchema,
} from '../../gen/parley/v1/session_service_pb.ts';
import type { Integrations } from '../integration/integrations.ts';
import type { Call } from '../rpc/call.ts';
import { encode } from '../rpc/codec.ts';
import { Page } from '../rpc/paging.ts';
import type { ServiceImpl } from '../rpc/service.ts';
import { isSessionPosition, positionOf } from '../sessions/query.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Mutated } from '../sessions/store.ts';
import { written } from '../structs/wire_writer.ts';
import { insightMessage, integrationMessage, isInsightPosition } from './integration_messages.ts';
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
import { field, repeated, writeFlag } from './wire.ts';

/** The one field of every response that is a session. */
const SESSION = 1;
const INSIGHTS = ListInsightsResponseSchema.field.insights.number;

export class SessionService implements ServiceImpl<typeof Proto> {
  readonly #sessions: Sessions;
  readonly #integrations: Integrations;

  constructor(sessions: Sessions, integrations: Integrations) {
    this.#sessions = sessions;
    this.#integrations = integrations;
  }

  async createSession(request: CreateSessionRequest, call: Call) {
    const key = keyOf(request);
    const input = newSession(request.session, key);
    const { answer, activity } = await this.#sessions.create(key, input, request.allowExisting, call);
    const { session, created } = answer;
    return written((writer) => {
      writer.raw(field(SESSION, ...encodeActive({ session, activity })));
      writeFlag(writer, CreateSessionResponseSchema.field.created.number, created);
    });
  }

  async getSession(request: GetSessionRequest) {
    return field(
      SESSION,
      ...complete(await this.#sessions.getEncoded(keyOf(request), request.includeDeleted)),
    );
  }

  async batchGetSessions(request: BatchGetSessionsRequest) {
    const { sessionIds, includeDeleted } = request;
    const { sessions, missing } = await this.#sessions.getManyEncoded(
      namespaceOf(request),
      sessionIds,
      includeDeleted,
    );
    const rest = create(BatchGetSessionsResponseSchema, { missingSessionIds: missing });
    const items = sessions.map((session) => Buffer.concat(complete(session)));
    return repeated(SESSION, items, toBinary(BatchGetSessionsResponseSchema, rest));
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
      if (!page.add(Buffer.concat(encodeActive(active)), positionOf(active.session, order))) break;
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
    return { participant: participantMessage(participant, activity), created };
  }

  async unbindParticipant(request: UnbindParticipantRequest, call: Call) {
    const { participantId, etag } = request;
    const { answer, activity } = await this.#sessions.unbindParticipant(
      keyOf(request),
      participantId,
      etag,
      call,
    );
    return { participant: participantMessage(answer, activity) };
  }

  async listParticipants(request: ListParticipantsRequest) {
    const { answer, activity } = await this.#sessions.participants(keyOf(request), request.includeUnbound);
    return { participants: answer.map((participant) => participantMessage(participant, activity)) };
  }

  async *integrateSession(request: IntegrateSessionRequest, call: Call) {
    const events = this.#integrations.integrate(keyOf(request), request, call, call.signal);
    for await (const event of events) yield integrationMessage(event);
  }

  async listInsights(request: ListInsightsRequest) {
    const page = new Page(ListInsightsRequestSchema, request, isInsightPosition);
    const found = this.#integrations.list(keyOf(request), request.participantId, page.after);
    for await (const { insight, position } of found) {
      if (!page.add(encode(InsightSchema, insightMessage(insight)), position)) break;
    }
    const rest = create(ListInsightsResponseSchema, { nextPageToken: page.nextPageToken });
    return repeated(INSIGHTS, page.items, toBinary(ListInsightsResponseSchema, rest));
  }
}

function sessionAnswer({ answer, activity }: Mutated<Session>): Uint8Array {
  return field(SESSION, ...encodeActive({ session: answer, activity }));
}
