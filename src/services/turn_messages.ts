/** What is said: messages in, bodies of turns out; frames of turns in, what followers are sent out. */
import { toBinary } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import {
  AppendTurnsResponseSchema,
  FollowTurnsResponseSchema,
  ResetReason,
} from '../../gen/parley/v1/chat_service_pb.ts';
import {
  type Message,
  type Part,
  PartSchema,
  Role,
  TurnSchema,
  TurnStatus,
} from '../../gen/parley/v1/content_pb.ts';
import type { AskedTurn } from '../chat/ask.ts';
import type { Said } from '../chat/content.ts';
import type { FollowEncoder } from '../chat/follow.ts';
import { asField, type FrameWriter, type StoredTurn } from '../chat/frames.ts';
import type { TurnCounter } from '../chat/tokens.ts';
import type { Role as TurnRole } from '../chat/turns.ts';
import { fieldInvalid } from '../errors.ts';
import { encode } from '../rpc/codec.ts';
import { writeAscii } from '../structs/ascii.ts';
import { type WireWriter, written } from '../structs/wire_writer.ts';
import { partsFrom } from './parts.ts';
import { writeMessage, writeNumber, writeStruct, writeText, writeTimestamp } from './wire.ts';

/** The messages of a request as turns, counted: at once when that is quick. */
export function newTurns(
  messages: readonly Message[],
  count: TurnCounter,
): AskedTurn[] | Promise<AskedTurn[]> {
  const heard = messages.map(hear);
  const counts = count(heard.map(({ said }) => said));
  const counted = (each: readonly number[]) => heard.map((one, index) => newTurn(one, each[index]!));
  return Array.isArray(counts) ? counted(counts) : counts.then(counted);
}

interface Heard {
  readonly message: Message;
  readonly said: Said;
  /** The short form included. */
  readonly parts: readonly Part[];
}

function hear(message: Message, index: number): Heard {
  const { content, parts, role, participantId } = message;
  if (content === '' && !parts.some(saysSomething))
    throw fieldInvalid(`messages[${index}]`, 'has no content: set `content`, or `parts`');
  const all = content === '' ? parts : [textPart(content), ...parts];
  return { message, parts: all, said: { role: ROLES[role] ?? 'USER', participantId, parts: partsFrom(all) } };
}

function newTurn({ message, said, parts }: Heard, tokenCount: number): AskedTurn {
  const { role, participantId } = said;
  const body = written((writer) => {
    writeNumber(writer, T.role.number, Role[role]);
    writeText(writer, T.participantId.number, participantId);
    for (const part of parts) writePart(writer, part);
    writeStruct(writer, T.metadata.number, message.metadata);
    writeNumber(writer, T.tokenCount.number, tokenCount);
    writeNumber(writer, T.status.number, TurnStatus.COMPLETE);
  });
  return { role, participantId, body, said, tokenCount };
}

const T = TurnSchema.field;

function writePart(writer: WireWriter, part: Part): void {
  const { content } = part;
  if (content.case === 'text') {
    writer.tag(T.parts.number, WireType.LengthDelimited).fork();
    writer.tag(PartSchema.field.text.number, WireType.LengthDelimited).string(content.value);
    writer.join();
  } else {
    writeMessage(writer, T.parts.number, toBinary(PartSchema, part));
  }
}

export const ROLES: Readonly<Record<number, TurnRole>> = {
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

/** See chat/frames.ts. */
export const writeFrame: FrameWriter = (writer, turn) =>
  writeTurn(writer, AppendTurnsResponseSchema.field.turns.number, turn);

/** A turn as a field, the seq first. */
function writeTurn(writer: WireWriter, number: number, { seq, createTime, body }: StoredTurn): void {
  writer.tag(number, WireType.LengthDelimited).fork();
  writeNumber(writer, T.seq.number, seq);
  writeTimestamp(writer, T.createTime.number, createTime);
  writer.raw(body).join();
}

const FOLLOWED = FollowTurnsResponseSchema.field;

/** What followers are sent, as encoded `FollowTurnsResponse`s. */
export const followEncoder: FollowEncoder<Buffer> = {
  turn: (frame, cursor) => followed(cursor, FOLLOWED.turn.number, frame),
  newTurn: (turn, cursor) =>
    written((writer) => {
      writeText(writer, FOLLOWED.cursor.number, cursor);
      writeTurn(writer, FOLLOWED.turn.number, turn);
    }),
  runEvent: (frame, cursor) => followed(cursor, FOLLOWED.runEvent.number, frame),
  reset: (reason, cursor) =>
    encode(FollowTurnsResponseSchema, {
      cursor,
      event: { case: 'reset', value: { reason: ResetReason[reason] } },
    }),
  caughtUp: (cursor) => encode(FollowTurnsResponseSchema, { cursor, event: { case: 'caughtUp', value: {} } }),
  heartbeat: (cursor) =>
    encode(FollowTurnsResponseSchema, { cursor, event: { case: 'heartbeat', value: {} } }),
};

/** A frame as the field it is to a follower, behind the cursor, which is short ASCII. */
function followed(cursor: string, number: number, frame: Uint8Array): Buffer {
  const message = asField(frame, number, 2 + cursor.length);
  message[0] = (FOLLOWED.cursor.number << 3) | WireType.LengthDelimited;
  writeAscii(message, 1, cursor);
  return message;
}
