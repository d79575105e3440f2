/** Runs and prompts as proto messages. */
import { fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts';
import {
  ContextSource,
  type GetContextResponseSchema,
  type RunSchema,
  RunStatus,
} from '../../gen/parley/v1/chat_service_pb.ts';
import { Role } from '../../gen/parley/v1/content_pb.ts';
import type { Context } from '../chat/context.ts';
import type { Run } from '../chat/run.ts';
import { timestamp } from './messages.ts';
import { partMessage } from './parts.ts';

export function runMessage(sessionId: string, run: Run): MessageInitShape<typeof RunSchema> {
  const { status, createTime, endTime, error, ...same } = run;
  return {
    ...same,
    sessionId,
    status: RunStatus[status],
    createTime: timestamp(createTime),
    ...(endTime !== undefined && { endTime: timestamp(endTime) }),
    ...(error.length > 0 && { error: fromBinary(StatusSchema, error) }),
  };
}

export function contextMessage(context: Context): MessageInitShape<typeof GetContextResponseSchema> {
  return {
    ...context,
    messages: context.messages.map(({ role, name, parts, source, seq, tokenCount }) => ({
      role: Role[role],
      name,
      parts: parts.map(partMessage),
      source: ContextSource[source],
      seq,
      tokenCount,
    })),
  };
}
