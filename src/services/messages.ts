/** The domain's sessions, participants and revisions as proto messages. */
import { hash } from 'node:crypto';
import { type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type Duration, FileDescriptorProtoSchema, type Timestamp } from '@bufbuild/protobuf/wkt';
import { ConfigsOperation, type ConfigsRevisionSchema } from '../../gen/parley/v1/configs_service_pb.ts';
import {
  ContextOverflow,
  ParticipantKind,
  type ParticipantSchema,
  SessionSchema,
  TtlPolicy,
} from '../../gen/parley/v1/session_service_pb.ts';
import { encode } from '../rpc/codec.ts';
import {
  boundParticipants,
  type ConfigsRevision,
  expireTime,
  type Micros,
  type Milliseconds,
  type Participant,
  type Session,
} from '../sessions/session.ts';

/** Sessions as encoded `parley.v1.Session`s; what is stored under another schema is encoded anew. */
export const sessionEncoder = {
  schema: hash('sha1', toBinary(FileDescriptorProtoSchema, SessionSchema.file.proto), 'base64url').slice(
    0,
    8,
  ),

  /** A session is stored as it is answered, and answered as it was stored: mostly it is encoded once. */
  encode(session: Session): Buffer {
    const known = recent.get(session.etag);
    if (known?.session === session) return known.bytes;
    const bytes = encode(SessionSchema, sessionMessage(session));
    if (bytes.length <= MAX_RECENT_BYTES) recent.set(session.etag, { session, bytes });
    if (recent.size > MAX_RECENT) recent.delete(recent.keys().next().value!);
    return bytes;
  },
};

/** What was encoded last, so that it is at hand while its answer is under way; plainer to the garbage collector than a WeakMap. */
const recent = new Map<string, { readonly session: Session; readonly bytes: Buffer }>();
const MAX_RECENT = 128;
const MAX_RECENT_BYTES = 32 * 1024;

/** An embedded message as an encoded field; answers are put together of such. */
export function field(number: number, message: Uint8Array): Uint8Array {
  const header: number[] = [];
  varint(header, (number << 3) | 2);
  varint(header, message.length);
  return Buffer.concat([Buffer.from(header), message]);
}

/** An answer that is encoded items of one repeated field, and the rest of it encoded. */
export function repeated(number: number, items: readonly Uint8Array[], rest: Uint8Array): Buffer {
  return Buffer.concat([...items.map((item) => field(number, item)), rest]);
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
    metadata: session.metadata,
    data: session.data,
    ...(session.configs.configs && { configs: session.configs.configs }),
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

function varint(bytes: number[], value: number): void {
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
}
