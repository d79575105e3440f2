import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  type MessageInitShape,
  ScalarType,
} from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AppendTurnsRequestSchema,
  ChatRequestSchema,
  ChatService,
  FollowTurnsRequestSchema,
} from '../../gen/parley/v1/chat_service_pb.ts';
import { ConfigsService, PatchConfigsRequestSchema } from '../../gen/parley/v1/configs_service_pb.ts';
import type { Role } from '../../gen/parley/v1/content_pb.ts';
import { DocumentService } from '../../gen/parley/v1/document_service_pb.ts';
import {
  BatchGetSessionsRequestSchema,
  CreateSessionRequestSchema,
  GetSessionRequestSchema,
  SessionService,
} from '../../gen/parley/v1/session_service_pb.ts';
import { surelyValid } from '../../src/interceptors/surely_valid.ts';
import { forAll } from '../property.ts';

const validator = createValidator();

/** Around the bounds in the protos, and what looks like something else. */
const LENGTHS = [1, 2, 63, 64, 65, 120, 121, 127, 128, 129, 255, 256, 257, 1024, 1025];
const TEXTS = ['', 'agent-1', 'A.b_c:d@e', '-a', 'a b', 'é', '\u0000', '__proto__'].concat(
  LENGTHS.flatMap((length) => ['x'.repeat(length), '😀'.repeat(length)]),
);
const WHOLE = [0, 1, -1, 2, 3, 7, 99, 1000, 1001, 10_000, 10_000_001, 2 ** 31 - 1];
const FRACTIONS = [0, -0, 0.5, 2, 2.01, -2, Number.NaN, Number.POSITIVE_INFINITY];

function anyScalar(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return fc.constantFrom(...TEXTS);
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 3 });
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return fc.constantFrom(...FRACTIONS);
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return fc.constantFrom(...WHOLE.map(BigInt));
    default:
      return fc.constantFrom(...WHOLE);
  }
}

/** Anything that could be decoded for a field; `depth` ends what holds itself. */
function anyValue(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const isList = field.fieldKind === 'list';
  const one =
    'message' in field && field.message
      ? field.message.typeName === 'google.protobuf.Struct'
        ? fc.constant({ key: 1 })
        : anyMessage(field.message, depth - 1)
      : 'enum' in field && field.enum
        ? fc.constantFrom(...WHOLE)
        : anyScalar(field.scalar!);
  if (isList) return depth > 0 ? fc.array(one, { maxLength: 5 }) : fc.constant([]);
  return field.fieldKind === 'message' && depth === 0 ? fc.constant(undefined) : one;
}

function anyMessage(schema: DescMessage, depth: number): fc.Arbitrary<Message> {
  if (depth < 0) return fc.constant(create(schema));
  // Few fields at a time: with more, one that is refused hides all others.
  const fields = fc.subarray([...schema.fields], { maxLength: Math.min(4, schema.fields.length) });
  return fields.chain((chosen) =>
    fc.tuple(...chosen.map((field) => anyValue(field, depth))).map((values) => {
      const message = withNames(schema);
      for (const [at, field] of chosen.entries()) {
        const { localName, oneof } = field;
        const target = message as unknown as Record<string, unknown>;
        if (oneof) target[oneof.localName] = { case: localName, value: values[at] };
        else if (values[at] !== undefined) target[localName] = values[at];
      }
      return message;
    }),
  );
}

/** With a name in each text, which most patterns take: a message is refused for what was chosen, if at all. */
function withNames(schema: DescMessage): Message {
  const texts = schema.fields.filter(
    ({ scalar, oneof, fieldKind }) => fieldKind === 'scalar' && scalar === ScalarType.STRING && !oneof,
  );
  return create(schema, Object.fromEntries(texts.map(({ localName }) => [localName, 'agent-1'])));
}

const METHODS = [SessionService, ConfigsService, ChatService, DocumentService].flatMap(
  ({ methods }) => methods,
);

describe('what is valid at a glance', () => {
  it('is to protovalidate, whatever is asked of whichever method', () => {
    let sure = 0;
    for (const { input } of METHODS) {
      forAll([anyMessage(input, 3)], (message) => {
        if (!surelyValid(input, message)) return;
        sure++;
        expect(validator.validate(input, message)).toMatchObject({ kind: 'valid' });
      });
    }
    expect(sure).toBeGreaterThan(METHODS.length * 40); // of 200 each: it says so often enough to be wrong
  });

  const id = { sessionId: 'a' };
  it.each([
    request(GetSessionRequestSchema, id),
    request(GetSessionRequestSchema, { ...id, namespace: 'x'.repeat(63) }),
    request(CreateSessionRequestSchema, { session: { configs: { a: 1 } } }),
    request(PatchConfigsRequestSchema, { ...id, configs: { a: null }, requestId: 'once' }),
    request(AppendTurnsRequestSchema, { ...id, messages: [{ content: 'hello' }] }),
    request(AppendTurnsRequestSchema, {
      ...id,
      messages: [{ parts: [{ content: { case: 'text', value: 'hello' } }] }],
    }),
    request(BatchGetSessionsRequestSchema, { sessionIds: ['a', 'b'] }),
    request(FollowTurnsRequestSchema, id),
    request(ChatRequestSchema, { ...id, messages: [{ content: 'hello' }] }),
  ])('is what callers mostly send: $type', ({ schema, message }) => {
    expect(surelyValid(schema, message)).toBe(true);
  });

  it.each([
    request(GetSessionRequestSchema, {}),
    request(GetSessionRequestSchema, { ...id, namespace: 'X' }),
    request(CreateSessionRequestSchema, { session: { agentId: '-' } }),
    request(AppendTurnsRequestSchema, id),
    request(AppendTurnsRequestSchema, { ...id, messages: [{ role: 99 as Role, content: 'hello' }] }),
    request(AppendTurnsRequestSchema, { ...id, messages: [{ parts: [{}] }] }),
    request(AppendTurnsRequestSchema, { ...id, messages: Array.from({ length: 1001 }, () => ({})) }),
    request(BatchGetSessionsRequestSchema, { sessionIds: ['a', '-'] }),
  ])('is nothing that breaks a rule: $type', ({ schema, message }) => {
    expect(validator.validate(schema, message)).toMatchObject({ kind: 'invalid' });
    expect(surelyValid(schema, message)).toBe(false);
  });
});

function request<D extends DescMessage>(schema: D, init: MessageInitShape<D>) {
  return {
    schema: schema as DescMessage,
    message: create(schema, init) as Message,
    type: schema.name,
  };
}
