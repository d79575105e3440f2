/**
 * Sessions as encoded `parley.v1.Session`s.
 *
 * A session is encoded when it is written, stored so, and passed on whenever it
 * is read. What moves with every turn is left out of that, and put behind it
 * when it is answered: fields of a message may come in any order.
 */
import { hash } from 'node:crypto';
import { type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import {
  ContextOverflow,
  ParticipantSchema,
  SessionSchema,
  TtlPolicy,
} from '../../gen/parley/v1/session_service_pb.ts';
import { encode } from '../rpc/codec.ts';
import {
  type ActiveSession,
  boundParticipants,
  expireTime,
  isDeleted,
  type Participant,
  type Session,
  slidingTtl,
} from '../sessions/session.ts';
import type { EncodedSession } from '../sessions/store.ts';
import { duration, participantMessage, timestamp } from './messages.ts';
import { field, writeTimestamp } from './wire.ts';

/** What `redis/` stores; what is stored under another schema is encoded anew. */
export const sessionEncoder = {
  schema: `1.${hash('sha1', toBinary(FileDescriptorProtoSchema, SessionSchema.file.proto), 'base64url').slice(0, 8)}`,

  /** A session as it is answered, but for its activity; mostly it is encoded once. */
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

const { lastTurnSeq, turnCount, updateTime, expireTime: expires, participants } = SessionSchema.field;
const { participantId, turnCount: turnsOfParticipant } = ParticipantSchema.field;

/** A session as it is answered. */
export function encodeActive({ session, activity }: ActiveSession): Buffer {
  return complete({
    bytes: sessionEncoder.encode(session),
    deleted: isDeleted(session),
    slidingTtl: slidingTtl(session),
    activity,
  });
}

/** An encoded session with its activity. */
export function complete({ bytes, slidingTtl, activity }: EncodedSession): Buffer {
  const moving = new BinaryWriter();
  moving.tag(lastTurnSeq.number, WireType.Varint).uint32(activity.lastTurnSeq);
  moving.tag(turnCount.number, WireType.Varint).uint32(activity.turnCount);
  writeTimestamp(moving, updateTime.number, activity.updateTime);
  if (slidingTtl !== undefined) {
    writeTimestamp(moving, expires.number, activity.updateTime + slidingTtl * 1000);
  }
  const counted = Object.keys(activity.turnsBy).length > 0;
  return Buffer.concat([...(counted ? withCounts(bytes, activity.turnsBy) : [bytes]), moving.finish()]);
}

/** The same session, its participants with their counts. */
function withCounts(bytes: Uint8Array, turnsBy: Readonly<Record<string, number>>): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const reader = new BinaryReader(bytes);
  for (let from = 0; reader.pos < reader.len; from = reader.pos) {
    const [number, type] = reader.tag();
    if (number !== participants.number) {
      reader.skip(type);
      pieces.push(bytes.subarray(from, reader.pos));
      continue;
    }
    const participant = reader.bytes();
    const count = turnsBy[idOf(participant)] ?? 0;
    const counted = new BinaryWriter().tag(turnsOfParticipant.number, WireType.Varint).uint32(count).finish();
    pieces.push(field(number, Buffer.concat([participant, counted])));
  }
  return pieces;
}

function idOf(participant: Uint8Array): string {
  const reader = new BinaryReader(participant);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === participantId.number) return reader.string();
    reader.skip(type);
  }
  return '';
}

function sessionMessage(session: Session): MessageInitShape<typeof SessionSchema> {
  const bound = boundParticipants(session);
  const { ttl, deleteTime, purgeTime, forkedFrom } = session;
  const expires = slidingTtl(session) === undefined ? expireTime(session) : undefined;
  return {
    namespace: session.namespace,
    sessionId: session.sessionId,
    displayName: session.displayName,
    userId: firstOf(bound, 'USER'),
    agentId: firstOf(bound, 'AGENT'),
    participants: bound.map((participant) => participantMessage(participant)),
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
    ...(forkedFrom && { forkedFrom }),
    createTime: timestamp(session.createTime),
    ...(deleteTime !== undefined && { deleteTime: timestamp(deleteTime) }),
    ...(expires !== undefined && { expireTime: timestamp(expires) }),
    ...(purgeTime !== undefined && { purgeTime: timestamp(purgeTime) }),
    etag: session.etag,
  };
}

function firstOf(participants: Participant[], kind: Participant['kind']): string {
  return participants.find((participant) => participant.kind === kind)?.participantId ?? '';
}
