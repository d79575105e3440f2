import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatService } from '../../gen/parley/v1/chat_service_pb.ts';
import { ConfigsService } from '../../gen/parley/v1/configs_service_pb.ts';
import { CreateSessionRequestSchema, SessionService } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { frame, rawCall, rawStatus } from '../rpc/wire.ts';
import { slowestWhile } from './bystander.ts';

const parley = useParley();
const METHODS = [SessionService, ConfigsService, ChatService].flatMap((service) =>
  service.methods.map((method) => `/${service.typeName}/${method.name}`),
);
const CREATE = '/parley.v1.SessionService/CreateSession';
const [OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED] = [0, 3, 8, 12];

/** Somebody on the same server who minds his own business all the while. */
let watching = true;
let bystander: Promise<number>;
beforeAll(() => {
  bystander = (async () => {
    const { session } = await parley.sessions.createSession({ session: { displayName: 'bystander' } });
    let calls = 0;
    for (; watching; calls++) {
      const got = await parley.sessions.getSession({ sessionId: session!.sessionId });
      expect(got.session!.displayName).toBe('bystander');
    }
    return calls;
  })();
});
afterAll(async () => {
  watching = false;
  expect(await bystander).toBeGreaterThan(10);
});

function send(path: string, message: Uint8Array, headers: Record<string, string> = {}): Promise<number> {
  return rawStatus(rawCall(parley.port, path, frame(message), headers));
}

/** A length-delimited field. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish();
}

describe.each(METHODS)('%s', (path) => {
  it.each([
    ['no protobuf at all', Buffer.from('ffffffff', 'hex')],
    ['cut off in the middle', Buffer.from([0x0a, 0x05, 0x61])],
    ['a string that is no UTF-8', field(1, Buffer.from([0xc3, 0x28]))],
    ['a namespace of the wrong type', Buffer.from([0x08, 0x01])],
    ['end of a group that never began', Buffer.from([0x0c])],
  ])('answers INVALID_ARGUMENT to %s', async (_, bytes) => {
    expect(await send(path, bytes)).toBe(INVALID_ARGUMENT);
  });
});

describe('a message', () => {
  it.each([
    ['eight bytes of broken gzip', Buffer.from('1f8b080000000000', 'hex')],
    [
      'gzip of something broken',
      Buffer.concat([gzipSync(Buffer.alloc(100)).subarray(0, 20), Buffer.alloc(4)]),
    ],
  ])('of %s ends its call only', async (_, bytes) => {
    const call = rawCall(parley.port, CREATE, frame(bytes, 1), { 'grpc-encoding': 'gzip' });
    expect(await rawStatus(call)).not.toBe(OK);
  });

  it('that unpacks to more than a server takes is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const call = rawCall(parley.port, CREATE, frame(bomb, 1), { 'grpc-encoding': 'gzip' });
    expect(await rawStatus(call)).toBe(RESOURCE_EXHAUSTED);
  });

  it('of more than 4 MiB is RESOURCE_EXHAUSTED', async () => {
    expect(await send(CREATE, field(99, Buffer.alloc(4 * 1024 * 1024)))).toBe(RESOURCE_EXHAUSTED);
  });

  it('with fields nobody knows is served', async () => {
    expect(await send(CREATE, field(99, Buffer.alloc(100_000)))).toBe(OK);
  });

  it('with a Struct value that says nothing is kept as null', async () => {
    const sessionId = newId();
    const value = field(1, Buffer.concat([field(1, Buffer.from('k')), field(2, Buffer.alloc(0))]));
    const request = Buffer.concat([field(2, Buffer.from(sessionId)), field(3, field(10, value))]);
    expect(await send(CREATE, request)).toBe(OK);
    const { session } = await parley.sessions.getSession({ sessionId });
    expect(session!.metadata).toEqual({ k: null });
  });

  it('that sends its Struct in two halves gets no more than 64 KiB through', async () => {
    const sessionId = newId();
    const half = (key: string) => {
      const session = { metadata: { [key]: 'x'.repeat(60_000) } };
      return toBinary(CreateSessionRequestSchema, create(CreateSessionRequestSchema, { sessionId, session }));
    };
    await send(CREATE, Buffer.concat([half('a'), half('b')]));
    const { sessions } = await parley.sessions.batchGetSessions({ sessionIds: [sessionId] });
    for (const { metadata } of sessions) expect(JSON.stringify(metadata).length).toBeLessThan(65_536);
  });

  it('of a million empty list entries does not hold up the others', async () => {
    const entries = Buffer.concat(Array.from({ length: 300_000 }, () => Buffer.from([0x0a, 0x00])));
    const list = field(2, field(6, entries));
    const request = field(3, field(12, field(1, Buffer.concat([field(1, Buffer.from('k')), list]))));
    const sent = send(CREATE, request);
    const asked = performance.now();
    await parley.sessions.createSession({});
    expect(performance.now() - asked).toBeLessThan(1000);
    expect(await sent).toBe(INVALID_ARGUMENT);
  });

  it('of eight thousand pieces of a session, each with 256 participants, does not hold up the others', async () => {
    const piece = field(3, Buffer.alloc(512, field(6, Buffer.alloc(0))));
    const sent = send(CREATE, Buffer.alloc(8000 * piece.length, piece));
    expect(await slowestWhile(sent, () => parley.sessions.createSession({}))).toBeLessThan(1000);
    expect(await sent).toBe(INVALID_ARGUMENT);
  });

  it('for a method there is not is UNIMPLEMENTED', async () => {
    expect(await send('/parley.v1.SessionService/DropEverything', Buffer.alloc(0))).toBe(UNIMPLEMENTED);
    expect(await send('/parley.v1.__proto__/constructor', Buffer.alloc(0))).toBe(UNIMPLEMENTED);
  });

  it.each(['soon', '-1S', '99999999999H', ''])('with the deadline %j ends its call only', async (timeout) => {
    await send(CREATE, Buffer.alloc(0), { 'grpc-timeout': timeout }).catch(() => {});
    await parley.sessions.createSession({});
  });
});

it('metadata of more than 16 KiB is refused with a reason', async () => {
  const call = parley.sessions.createSession({}, { headers: { 'x-large': 'x'.repeat(17_000) } });
  expect(await refusal(call)).toBe('RESOURCE_EXHAUSTED QUOTA_EXCEEDED');
  await parley.sessions.createSession({}, { headers: { 'x-large': 'x'.repeat(15_000) } });
});
