/** What is said: messages in, bodies of turns out; frames of turns in, what followers are sent out. */
import { FollowTurnsResponseSchema, ResetReason } from '../../gen/parley/v1/chat_service_pb.ts';
import { type Message, type Part, Role, TurnSchema, TurnStatus } from '../../gen/parley/v1/content_pb.ts';
import type { FollowEncoder } from '../chat/follow.ts';
import { asSecondField } from '../chat/frames.ts';
import type { NewTurn, Role as TurnRole } from '../chat/turns.ts';
import { fieldInvalid } from '../errors.ts';
import { encode } from '../rpc/codec.ts';
import { field } from './wire.ts';

/** The messages of an AppendTurns request as turns. */
export function newTurns(messages: readonly Message[]): NewTurn[] {
  return messages.map((message, index) => newTurn(message, `messages[${index}]`));
}

function newTurn({ role, participantId, content, parts, metadata }: Message, path: string): NewTurn {
  const said = content === '' ? parts : [textPart(content), ...parts];
  if (!said.some(saysSomething)) throw fieldInvalid(path, 'has no content: set `content`, or `parts`');
  const side = role === Role.UNSPECIFIED ? Role.USER : role;
  const body = encode(TurnSchema, {
    role: side,
    participantId,
    parts: said,
    ...(metadata && { metadata }),
    status: TurnStatus.COMPLETE,
  });
  return { role: ROLES[side]!, participantId, body };
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

const CURSOR = FollowTurnsResponseSchema.field.cursor.number;

/** What followers are sent, as encoded `FollowTurnsResponse`s. */
export const followEncoder: FollowEncoder<Uint8Array> = {
  turn: ({ frame }, cursor) => Buffer.concat([field(CURSOR, Buffer.from(cursor)), asSecondField(frame)]),
  reset: (reason, cursor) =>
    encode(FollowTurnsResponseSchema, {
      cursor,
      event: { case: 'reset', value: { reason: ResetReason[reason] } },
    }),
  caughtUp: (cursor) => encode(FollowTurnsResponseSchema, { cursor, event: { case: 'caughtUp', value: {} } }),
  heartbeat: (cursor) =>
    encode(FollowTurnsResponseSchema, { cursor, event: { case: 'heartbeat', value: {} } }),
};
