import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { AppendTurnsRequestSchema } from '../../gen/parley/v1/chat_service_pb.ts';
import { MessageSchema } from '../../gen/parley/v1/content_pb.ts';
import { BatchGetSessionsRequestSchema } from '../../gen/parley/v1/session_service_pb.ts';
import { checkLists } from '../../src/rpc/list_limits.ts';
import { field } from '../../src/services/wire.ts';

/** A message in which a field comes so many times, empty. */
function repeatedly(number: number, times: number): Buffer {
  return Buffer.alloc(2 * times, Buffer.from([(number << 3) | 2, 0]));
}

const { messages, requestId } = AppendTurnsRequestSchema.field;
const { parts } = MessageSchema.field;

describe('a list on the wire', () => {
  it('is refused with its path as soon as it is too long', () => {
    const message = field(messages.number, repeatedly(parts.number, 1_000_000));
    const request = Buffer.concat([field(messages.number, new Uint8Array()), message]);
    expect(() => checkLists(AppendTurnsRequestSchema, request)).toThrow(
      'messages[1].parts: must contain no more than 100 item(s)',
    );
  });

  it('of the request itself as well, whatever its items are', () => {
    expect(() => checkLists(AppendTurnsRequestSchema, repeatedly(messages.number, 100_000))).toThrow(
      'messages: must contain no more than 1000',
    );
    const { sessionIds } = BatchGetSessionsRequestSchema.field;
    expect(() => checkLists(BatchGetSessionsRequestSchema, repeatedly(sessionIds.number, 100_000))).toThrow(
      'session_ids: must contain no more than 1000',
    );
  });

  it('may be as long as its rule says, in every message anew', () => {
    const full = field(messages.number, repeatedly(parts.number, 100));
    const request = Buffer.concat(Array.from({ length: 1000 }, () => full));
    expect(() => checkLists(AppendTurnsRequestSchema, request)).not.toThrow();
  });

  it('is not looked for in small requests, which the rules themselves are good for', () => {
    expect(() => checkLists(AppendTurnsRequestSchema, repeatedly(messages.number, 2000))).not.toThrow();
  });

  it('is told apart from what other fields hold', () => {
    const text = create(AppendTurnsRequestSchema, {
      requestId: repeatedly(messages.number, 100_000).toString('latin1'),
    });
    expect(requestId.number).toBe(15);
    expect(() =>
      checkLists(AppendTurnsRequestSchema, toBinary(AppendTurnsRequestSchema, text)),
    ).not.toThrow();
  });
});
