/**
 * The domain's sessions, participants and revisions as proto messages.
 *
 * A session goes out as finished bytes: its Structs are written straight from
 * JSON (`structs/wire.ts`), which is most of what encoding it costs.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import { ConfigsOperation, type ConfigsRevisionSchema } from '../../gen/parley/v1/configs_service_pb.ts';
import {
  ContextOverflow,
  ParticipantKind,
  type ParticipantSchema,
  SessionSchema,
  TtlPolicy,
} from '../../gen/parley/v1/session_service_pb.ts';
import {
  boundParticipants,
  type ConfigsRevision,
  expireTime,
  type Micros,
  type Milliseconds,
  type Participant,
  type Session,
} from '../sessions/session.ts';
import type { JsonObject } from '../structs/json.ts';
import { encodeStruct } from '../structs/wire.ts';

/** A session as an encoded `parley.v1.Session`. */
export function encodeSession(session: Session): Uint8Array {
  const { metadata, configs, data } = session;
  const parts = [
    toBinary(SessionSchema, create(SessionSchema, sessionMessage(session))),
    field(SessionSchema.field.metadata.number, structBytes(metadata)),
    field(SessionSchema.field.data.number, structBytes(data)),
  ];
  if (configs.configs) parts.push(field(SessionSchema.field.configs.number, structBytes(configs.configs)));
  return Buffer.concat(parts);
}

/** An embedded message as an encoded field; answers are put together of such. */
export function field(number: number, message: Uint8Array): Uint8Array {
  const header = [(number << 3) | 2];
  varint(header, header.shift()!);
  varint(header, message.length);
  return Buffer.concat([Buffer.from(header), message]);
}

export function participantMessage(participant: Participant): MessageInitShape<typeof ParticipantSchema> {
  const { bindTime, unbindTime, kind, settings, leftSeq, ...same } = participant;
  return {
    ...same,
    kind: ParticipantKind[kind],
    settings,
    bindTime: timestamp(bindTime),
    ...(leftSeq !== undefined && { leftSeq }),
    ...(unbindTime !== undefined && { unbindTime: timestamp(unbindTime) }),
  };
}

export function revisionMessage(revision: ConfigsRevision): MessageInitShape<typeof ConfigsRevisionSchema> {
  const { operation, createTime, configs, ...same } = revision;
  return {
    ...same,
    ...(configs && { configs }),
    operation: operation ? ConfigsOperation[operation] : ConfigsOperation.UNSPECIFIED,
    createTime: timestamp(createTime),
  };
}

/** All of a session but its Structs. */
function sessionMessage(session: Session): MessageInitShape<typeof SessionSchema> {
  const bound = boundParticipants(session);
  const { ttl, deleteTime, purgeTime } = session;
  const expires = expireTime(session);
  return {
    namespace: session.namespace,
    sessionId: session.sessionId,
    displayName: session.displayName,
    userId: firstOf(bound, 'USER'),
    agentId: firstOf(bound, 'AGENT'),
    participants: bound.map(participantMessage),
    situation: session.situation,
    renderTemplates: session.renderTemplates,
    contextOverflow: ContextOverflow[session.contextOverflow],
    tokenBudget: session.tokenBudget,
    ...(ttl !== undefined && { ttl: duration(ttl) }),
    ttlPolicy: TtlPolicy[session.ttlPolicy],
    configsRevision: session.configs.revision,
    createTime: timestamp(session.createTime),
    updateTime: timestamp(session.updateTime),
    ...(deleteTime !== undefined && { deleteTime: timestamp(deleteTime) }),
    ...(expires !== undefined && { expireTime: timestamp(expires) }),
    ...(purgeTime !== undefined && { purgeTime: timestamp(purgeTime) }),
    etag: session.etag,
  };
}

function firstOf(participants: Participant[], kind: Participant['kind']): string {
  return participants.find((participant) => participant.kind === kind)?.participantId ?? '';
}

function timestamp(time: Micros): Timestamp {
  const seconds = Math.floor(time / 1e6);
  return {
    $typeName: 'google.protobuf.Timestamp',
    seconds: BigInt(seconds),
    nanos: (time - seconds * 1e6) * 1000,
  };
}

function duration(span: Milliseconds): Duration {
  const seconds = Math.floor(span / 1000);
  return {
    $typeName: 'google.protobuf.Duration',
    seconds: BigInt(seconds),
    nanos: (span - seconds * 1000) * 1e6,
  };
}

const EMPTY = new Uint8Array();

function structBytes(value: JsonObject): Uint8Array {
  for (const _ in value) return encodeStruct(value);
  return EMPTY;
}

function varint(bytes: number[], value: number): void {
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
}
