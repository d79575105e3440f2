/** Turns: messages in, stored bytes; stored bytes out, turns. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { FollowTurnsResponseSchema, ResetReason } from '../../gen/parley/v1/chat_service_pb.ts';
import { type Message, type Part, Role, TurnSchema, TurnStatus } from '../../gen/parley/v1/content_pb.ts';
import type { FollowEncoder } from '../chat/follow.ts';
import type { NewTurn, StoredTurn, Role as TurnRole } from '../chat/turns.ts';
import { fieldInvalid } from '../errors.ts';
import { encode } from '../rpc/codec.ts';
import { writeTimestamp } from './wire.ts';

/** The messages of an AppendTurns request as turns. */
export function newTurns(messages: readonly Message[]): NewTurn[] {
  return messages.map((message, index) => newTurn(message, `messages[${index}]`));
}

function newTurn({ role, participantId, content, parts, metadata }: Message, path: string): NewTurn {
  const said = content === '' ? parts : [textPart(content), ...parts];
  if (!said.some(saysSomething)) throw fieldInvalid(path, 'has no content: set `content`, or `parts`');
  const side = role === Role.UNSPECIFIED ? Role.USER : role;
  const bytes = encode(TurnSchema, {
    role: side,
    participantId,
    parts: said,
    ...(metadata && { metadata }),
    status: TurnStatus.COMPLETE,
  });
  return { role: ROLES[side]!, participantId, bytes };
}

const ROLES: Readonly<Record<number, TurnRole>> = {
  [Role.SYSTEM]: 'SYSTEM',
  [Role.USER]: 'USER',
  [Role.ASSISTANT]: 'ASSISTANT',
  [Role.TOOL]: 'TOOL',
};

function textPart(text: string): Part {
  return { $typeName: 'parley.v1.Part', content: { case: 'text', value: text } };
}

function saysSomething({ content }: Part): boolean {
  return content.value !== '';
}

const { seq, createTime } = TurnSchema.field;

/** A turn as a field of an answer. Its own fields may come in any order: what the log added comes first. */
export function turnField(number: number, turn: StoredTurn): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(number, WireType.LengthDelimited).fork();
  writer.tag(seq.number, WireType.Varint).uint32(turn.seq);
  writeTimestamp(writer, createTime.number, turn.createTime);
  writer.raw(turn.bytes);
  return writer.join().finish();
}

const { cursor: CURSOR, turn: TURN } = FollowTurnsResponseSchema.field;

/** What followers are sent, as encoded `FollowTurnsResponse`s. */
export const followEncoder: FollowEncoder<Uint8Array> = {
  turn: (turn, cursor) => {
    const head = new BinaryWriter().tag(CURSOR.number, WireType.LengthDelimited).string(cursor).finish();
    return Buffer.concat([head, turnField(TURN.number, turn)]);
  },
  reset: (reason, cursor) =>
    encode(FollowTurnsResponseSchema, {
      cursor,
      event: { case: 'reset', value: { reason: ResetReason[reason] } },
    }),
  caughtUp: (cursor) => encode(FollowTurnsResponseSchema, { cursor, event: { case: 'caughtUp', value: {} } }),
  heartbeat: (cursor) =>
    encode(FollowTurnsResponseSchema, { cursor, event: { case: 'heartbeat', value: {} } }),
};
