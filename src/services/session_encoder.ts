/**
 * Sessions as encoded `parley.v1.Session`s.
 *
 * A session is encoded when it is written, stored so, and passed on whenever it
 * is read. What moves with every turn is left out of that, and put behind it
 * when it is answered: fields of a message may come in any order.
 */
import { hash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import {
  ContextOverflow,
  ForkOriginSchema,
  ParticipantSchema,
  SessionSchema,
  TtlPolicy,
} from '../../gen/parley/v1/session_service_pb.ts';
import { encode } from '../rpc/codec.ts';
import {
  type ActiveSession,
  type Activity,
  boundParticipants,
  expireTime,
  type Participant,
  type Session,
  slidingTtl,
} from '../sessions/session.ts';
import { type EncodedSession, withEncoding } from '../sessions/store.ts';
import { RecentEncodings } from '../structs/recent_encodings.ts';
import { type WireWriter, written } from '../structs/wire_writer.ts';
import { participantMessage } from './messages.ts';
import {
  writeDuration,
  writeFlag,
  writeMessage,
  writeNumber,
  writeStored,
  writeText,
  writeTimestamp,
} from './wire.ts';

/** What `redis/` stores; what is stored under another schema is encoded anew. */
export const sessionEncoder = {
  schema: `1.${hash('sha1', toBinary(FileDescriptorProtoSchema, SessionSchema.file.proto), 'base64url').slice(0, 8)}`,

  /** A session as it is answered, but for its activity; mostly it is encoded once. */
  encode(session: Session): Buffer {
    return recent.of(session, encodeSession);
  },
};

const recent = new RecentEncodings<Session>();

const F = SessionSchema.field;
const P = ParticipantSchema.field;

/** A session as it is answered, in parts of one message. */
export function encodeActive(active: ActiveSession): Uint8Array[] {
  return complete(withEncoding(sessionEncoder.encode(active.session), active));
}

/** An encoded session with its activity, in parts of one message. */
export function complete({ bytes, slidingTtl, activity }: EncodedSession): Uint8Array[] {
  const { updateTime, lastTurnSeq, turnCount, turnsBy, learntBy, activeRunId, summary } = activity;
  const moving = written((writer) => {
    writeNumber(writer, F.lastTurnSeq.number, lastTurnSeq);
    writeNumber(writer, F.turnCount.number, turnCount);
    writeText(writer, F.activeRunId.number, activeRunId);
    writeText(writer, F.summary.number, summary);
    writeTimestamp(writer, F.updateTime.number, updateTime);
    if (slidingTtl !== undefined) {
      writeTimestamp(writer, F.expireTime.number, updateTime + slidingTtl * 1000);
    }
  });
  const isCounted = turnsBy !== undefined || learntBy !== undefined;
  return [isCounted ? written((writer) => writeCounted(writer, bytes, activity)) : bytes, moving];
}

/** The same session, its participants with their counts. */
function writeCounted(
  writer: WireWriter,
  bytes: Uint8Array,
  { turnsBy, learntBy }: Pick<Activity, 'turnsBy' | 'learntBy'>,
): void {
  const reader = new BinaryReader(bytes);
  for (let from = 0; reader.pos < reader.len; from = reader.pos) {
    const [number, type] = reader.tag();
    if (number !== F.participants.number) {
      reader.skip(type);
      writer.raw(bytes.subarray(from, reader.pos));
      continue;
    }
    const participant = reader.bytes();
    writer.tag(number, WireType.LengthDelimited).fork();
    writer.raw(participant);
    const id = idOf(participant);
    writeNumber(writer, P.turnCount.number, turnsBy?.[id] ?? 0);
    writeNumber(writer, P.integratedSeq.number, learntBy?.[id]?.integratedSeq ?? 0);
    writeNumber(writer, P.insightCount.number, learntBy?.[id]?.insightCount ?? 0);
    writer.join();
  }
}

function idOf(participant: Uint8Array): string {
  const reader = new BinaryReader(participant);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === P.participantId.number) return reader.string();
    reader.skip(type);
  }
  return '';
}

function encodeSession(session: Session): Buffer {
  return written((writer) => writeSession(writer, session));
}

function writeSession(writer: WireWriter, session: Session): void {
  const bound = boundParticipants(session);
  const { configs, forkedFrom } = session;
  writeText(writer, F.namespace.number, session.namespace);
  writeText(writer, F.sessionId.number, session.sessionId);
  writeText(writer, F.displayName.number, session.displayName);
  writeText(writer, F.userId.number, firstOf(bound, 'USER'));
  writeText(writer, F.agentId.number, firstOf(bound, 'AGENT'));
  for (const participant of bound) {
    writeMessage(writer, F.participants.number, encode(ParticipantSchema, participantMessage(participant)));
  }
  writeText(writer, F.situation.number, session.situation);
  writeFlag(writer, F.renderTemplates.number, session.renderTemplates);
  writeStored(writer, F.metadata.number, session.metadata);
  writeStored(writer, F.configs.number, configs.configs);
  writeStored(writer, F.data.number, session.data);
  writeNumber(writer, F.contextOverflow.number, ContextOverflow[session.contextOverflow]);
  writeNumber(writer, F.tokenBudget.number, session.tokenBudget);
  writeDuration(writer, F.ttl.number, session.ttl);
  writeNumber(writer, F.ttlPolicy.number, TtlPolicy[session.ttlPolicy]);
  writeNumber(writer, F.configsRevision.number, configs.revision);
  if (forkedFrom) {
    const origin = toBinary(ForkOriginSchema, create(ForkOriginSchema, forkedFrom));
    writeMessage(writer, F.forkedFrom.number, origin);
  }
  writeTimestamp(writer, F.createTime.number, session.createTime);
  writeTimestamp(writer, F.deleteTime.number, session.deleteTime);
  if (slidingTtl(session) === undefined) writeTimestamp(writer, F.expireTime.number, expireTime(session));
  writeTimestamp(writer, F.purgeTime.number, session.purgeTime);
  writeText(writer, F.etag.number, session.etag);
}

function firstOf(participants: Participant[], kind: Participant['kind']): string {
  return participants.find((participant) => participant.kind === kind)?.participantId ?? '';
}
