import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UpdateConfigsRequestSchema } from '../../gen/parley/v1/configs_service_pb.ts';
import {
  CreateSessionRequestSchema,
  ParticipantKind,
  UpdateSessionRequestSchema,
} from '../../gen/parley/v1/session_service_pb.ts';
import { ParleyError } from '../../src/errors.ts';
import { decode, encode } from '../../src/rpc/codec.ts';
import type { JsonObject } from '../../src/structs/json.ts';
import { forAll } from '../property.ts';
import { anyObject } from '../structs/arbitrary.ts';

const ann = { participantId: 'ann', kind: ParticipantKind.USER };

function deep(): JsonObject {
  let object: JsonObject = {};
  for (let at = 0; at < 32; at++) object = { a: object };
  return object;
}

/** The field a refusal names. */
function refusedField(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof ParleyError) return error.context.fields?.[0]?.field;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a message with Structs', () => {
  it('is read and written as protobuf-es reads and writes it', () => {
    forAll([anyObject, anyObject, anyObject], (metadata, settings, patch) => {
      const message = create(UpdateSessionRequestSchema, {
        sessionId: 'id',
        session: { metadata, participants: [ann, { ...ann, settings }], ttl: { seconds: 5n } },
        updateMask: { paths: ['metadata'] },
        metadataPatch: patch,
      });
      const bytes = toBinary(UpdateSessionRequestSchema, message);
      const read = decode(UpdateSessionRequestSchema, bytes);
      expect(Buffer.from(encode(UpdateSessionRequestSchema, read as never))).toHaveLength(bytes.length);
      const again = fromBinary(UpdateSessionRequestSchema, encode(UpdateSessionRequestSchema, read as never));
      expect(Buffer.from(toBinary(UpdateSessionRequestSchema, again)).equals(bytes)).toBe(true);
    });
  });

  it('tells an empty Struct from none', () => {
    const bytes = (configs?: JsonObject) =>
      toBinary(UpdateConfigsRequestSchema, create(UpdateConfigsRequestSchema, configs ? { configs } : {}));
    expect(decode(UpdateConfigsRequestSchema, bytes({}))).toMatchObject({ configs: {} });
    expect((decode(UpdateConfigsRequestSchema, bytes()) as { configs?: JsonObject }).configs).toBeUndefined();
  });

  it.each<[string, Parameters<typeof create<typeof CreateSessionRequestSchema>>[1]]>([
    ['session.metadata', { session: { metadata: deep() } }],
    ['session.data', { session: { data: deep() } }],
    ['session.configs', { session: { configs: deep() } }],
    ['session.participants[0].settings', { session: { participants: [{ ...ann, settings: deep() }] } }],
    [
      'session.participants[2].settings',
      { session: { participants: [ann, { ...ann, settings: {} }, { ...ann, settings: deep() }] } },
    ],
  ])('is refused for a Struct too deep in %s, by that path', (path, request) => {
    const bytes = toBinary(CreateSessionRequestSchema, create(CreateSessionRequestSchema, request));
    const field = refusedField(() => decode(CreateSessionRequestSchema, bytes));
    expect(field).toBe(`${path}${'["a"]'.repeat(32)}`);
  });

  it('may not get round the limit of a Struct by sending it in pieces', () => {
    const piece = (key: string) =>
      toBinary(
        UpdateConfigsRequestSchema,
        create(UpdateConfigsRequestSchema, { configs: { [key]: 'x'.repeat(60_000) } }),
      );
    const pieces = Buffer.concat(['a', 'b'].map(piece));
    const read = decode(UpdateConfigsRequestSchema, pieces) as { configs?: JsonObject };
    expect(JSON.stringify(read.configs).length).toBeLessThan(65_536);
  });

  it('never hangs on hostile bytes, and fails by throwing', () => {
    const tags = fc.constantFrom(
      0x1a,
      0x0a,
      0x12,
      0x2a,
      0x32,
      0x52,
      0x5a,
      0x62,
      0x11,
      0x08,
      0x20,
      0x0b,
      0x0c,
      0x7f,
    );
    const bytes = fc.array(fc.oneof({ arbitrary: tags, weight: 3 }, fc.nat(255)), { maxLength: 120 });
    forAll(
      [bytes],
      (hostile) => {
        try {
          decode(CreateSessionRequestSchema, Buffer.from(hostile));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      },
      3_000,
    );
  });
});
