/** What happens in runs as encoded `ChatEvent`s, and what they leave in the log as encoded `Turn`s. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import {
  ChatEventSchema,
  ChatResponseSchema,
  CompletedSchema,
  FailedSchema,
  ListTurnsResponseSchema,
  StartedSchema,
  ToolCallDeltaSchema,
} from '../../gen/parley/v1/chat_service_pb.ts';
import {
  FinishReason,
  PartSchema,
  Role,
  type Turn,
  TurnSchema,
  TurnStatus,
  UsageSchema,
} from '../../gen/parley/v1/content_pb.ts';
import type { Delta } from '../chat/answer.ts';
import type { PastTurn, Usage } from '../chat/content.ts';
import { splitFrames } from '../chat/frames.ts';
import type { OpenEvent } from '../chat/run.ts';
import type { AnswerTurn, RunEncoder } from '../chat/run_encoder.ts';
import type { NewTurn } from '../chat/turns.ts';
import { encodeStatus } from '../rpc/status.ts';
import { type WireWriter, written } from '../structs/wire_writer.ts';
import { partMessage, partsFrom } from './parts.ts';
import { ROLES } from './turn_messages.ts';
import { writeMessage, writeNumber, writeText } from './wire.ts';

const E = ChatEventSchema.field;
const T = TurnSchema.field;
const C = CompletedSchema.field;

export const runEncoder: RunEncoder = {
  started: (runId, model, participantId) =>
    openEvent(runId, 1, E.started.number, (writer) => {
      writeText(writer, StartedSchema.field.model.number, model);
      writeText(writer, StartedSchema.field.participantId.number, participantId);
    }),

  delta: (runId, offset, delta) =>
    written((writer) => {
      writer.tag(ChatResponseSchema.field.event.number, WireType.LengthDelimited).fork();
      writeHead(writer, runId, offset);
      writeDelta(writer, delta);
      writer.join();
    }),

  completed: (runId, offset, usage, finishReason) =>
    openEvent(runId, offset, E.completed.number, (writer) => {
      writeUsage(writer, C.usage.number, usage);
      writeNumber(writer, C.finishReason.number, FinishReason[finishReason]);
    }),

  failed: (runId, offset, status) =>
    openEvent(runId, offset, E.failed.number, (writer) =>
      writeMessage(writer, FailedSchema.field.status.number, status),
    ),

  cancelled: (runId, offset) => openEvent(runId, offset, E.cancelled.number, () => {}),

  status: encodeStatus,
  turn: answerTurn,

  deltas(frames) {
    const deltas: Delta[] = [];
    for (const { frame } of splitFrames(frames)) {
      const delta = deltaFrom(frame);
      if (delta) deltas.push(delta);
    }
    return deltas;
  },

  turns: (frames) => fromBinary(ListTurnsResponseSchema, frames).turns.map(pastTurn),
};

/** The offset comes first: see chat/frames.ts. */
function writeHead(writer: WireWriter, runId: string, offset: number): void {
  writeNumber(writer, E.offset.number, offset);
  writeText(writer, E.runId.number, runId);
}

function openEvent(
  runId: string,
  offset: number,
  number: number,
  rest: (writer: WireWriter) => void,
): OpenEvent {
  return {
    head: written((writer) => writeHead(writer, runId, offset)),
    tag: (number << 3) | WireType.LengthDelimited,
    tail: written(rest),
  };
}

function writeDelta(writer: WireWriter, delta: Delta): void {
  if (delta.kind === 'toolCall') {
    const { index, id, name, arguments: text } = delta;
    const call = create(ToolCallDeltaSchema, { index, id, name, arguments: text });
    writeMessage(writer, E.toolCallDelta.number, toBinary(ToolCallDeltaSchema, call));
  } else {
    writeText(writer, TEXTS[delta.kind].number, delta.text);
  }
}

const TEXTS = { text: E.textDelta, reasoning: E.reasoningDelta, refusal: E.refusalDelta };

function deltaFrom(frame: Uint8Array): Delta | undefined {
  const { event } = fromBinary(ChatResponseSchema, frame).event!;
  switch (event.case) {
    case 'textDelta':
      return { kind: 'text', text: event.value };
    case 'reasoningDelta':
      return { kind: 'reasoning', text: event.value };
    case 'refusalDelta':
      return { kind: 'refusal', text: event.value };
    case 'toolCallDelta': {
      const { index, id, name, arguments: text } = event.value;
      return { kind: 'toolCall', index, id, name, arguments: text };
    }
    default:
      return undefined;
  }
}

function answerTurn(answer: AnswerTurn): NewTurn {
  const { participantId, parts, tokenCount, model, usage, finishReason, runId, status } = answer;
  const body = written((writer) => {
    writeNumber(writer, T.role.number, Role.ASSISTANT);
    writeText(writer, T.participantId.number, participantId);
    for (const part of parts) {
      writeMessage(writer, T.parts.number, toBinary(PartSchema, create(PartSchema, partMessage(part))));
    }
    writeNumber(writer, T.tokenCount.number, tokenCount);
    writeText(writer, T.model.number, model);
    writeUsage(writer, T.usage.number, usage);
    writeNumber(writer, T.finishReason.number, FinishReason[finishReason]);
    writeText(writer, T.runId.number, runId);
    writeNumber(writer, T.status.number, TurnStatus[status]);
  });
  return { role: 'ASSISTANT', participantId, body };
}

function writeUsage(writer: WireWriter, number: number, usage: Usage | undefined): void {
  if (usage) writeMessage(writer, number, toBinary(UsageSchema, create(UsageSchema, usage)));
}

function pastTurn({ seq, role, participantId, parts, tokenCount }: Turn): PastTurn {
  return { seq, role: ROLES[role] ?? 'USER', participantId, parts: partsFrom(parts), tokenCount };
}
