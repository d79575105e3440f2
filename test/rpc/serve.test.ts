import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '@connectrpc/connect';
import { describe, expect, test, vi } from 'vitest';
import { ErrorInfoSchema, RetryInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { ServerReflection } from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { Health } from '../../gen/health/v1/health_pb.ts';
import { ParleyError } from '../../src/errors.ts';
import type { Call } from '../../src/rpc/call.ts';
import type { Interceptor } from '../../src/rpc/interceptor.ts';
import type { ServiceImpl } from '../../src/rpc/service.ts';
import { collect, failure, frame, rawCall, rawStatus, startServer } from './wire.ts';

// Small borrowed services: Health has a unary and a streaming RPC, reflection a bidirectional one.
type HealthImpl = ServiceImpl<typeof Health>;
type Bidi = ServiceImpl<typeof ServerReflection>['serverReflectionInfo'];

const healthy: HealthImpl = {
  check: () => ({ status: 1 }),
  list: () => ({}),
  async *watch() {
    yield { status: 1 };
  },
};

function serveHealth(impl: Partial<HealthImpl>, interceptors?: readonly Interceptor[]) {
  return startServer(Health, { ...healthy, ...impl }, interceptors);
}

function serveBidi(serverReflectionInfo: Bidi) {
  return startServer(ServerReflection, { serverReflectionInfo });
}

const NOT_A_MESSAGE = Buffer.from('ffffffff', 'hex');
const NEVER = new Promise<never>(() => {});

async function* oneThenSilence<T>(message: T): AsyncGenerator<T> {
  yield message;
  await NEVER;
}

describe('a handler that fails', () => {
  const secret = new Error('the password is \ud800');
  const refuse = () => {
    throw secret;
  };

  test.each<[string, HealthImpl['check']]>([
    ['throws', refuse],
    ['rejects', () => Promise.reject(secret)],
    ['throws no error at all', () => Promise.reject(undefined)],
    ['answers with text that is not text', () => ({ status: 'x\ud800' as never })],
  ])('once: %s', async (_, check) => {
    const { client } = await serveHealth({ check });
    const error = await failure(client.check({}));
    expect(error).toMatchObject({
      code: Code.Internal,
      rawMessage: 'internal error; the server log has the details',
    });
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: 'INTERNAL', domain: 'parley' }]);
    await client.list({});
  });

  test.each<[string, HealthImpl['watch']]>([
    ['throws', refuse],
    [
      'throws at its first answer',
      async function* () {
        yield* [];
        refuse();
      },
    ],
    [
      'throws between answers',
      async function* () {
        yield {};
        refuse();
      },
    ],
    [
      'throws after its last answer was taken',
      async function* () {
        try {
          yield {};
        } finally {
          refuse();
        }
      },
    ],
    ['is no stream', (() => ({})) as never],
    [
      'cannot be encoded',
      async function* () {
        yield { status: 'x' as never };
      },
    ],
  ])('stream: %s', async (_, watch) => {
    const { client } = await serveHealth({ watch });
    const error = await failure(collect(client.watch({})));
    expect(error).toMatchObject({
      code: Code.Internal,
      rawMessage: 'internal error; the server log has the details',
    });
    await client.list({});
  });

  test('both ways: throws while the caller is still sending', async () => {
    const { client } = await serveBidi(async function* (requests) {
      for await (const _ of requests) refuse();
      yield {};
    });
    const error = await failure(collect(client.serverReflectionInfo(oneThenSilence({}))));
    expect(error.code).toBe(Code.Internal);
  });
});

describe('an error for the caller', () => {
  test('arrives with half of a surrogate pair in every text', async () => {
    const check = () => {
      const half = 'x\ud800';
      throw new ParleyError('FIELD_INVALID', half, {
        fields: [{ field: half, description: half }],
        resource: { type: half, name: half },
      });
    };
    const { client } = await serveHealth({ check });
    const error = await failure(client.check({}));
    expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: 'x\ufffd' });
  });

  test('that cannot be told is a defect', async () => {
    const refuse = () => {
      throw new ParleyError('MODEL_RATE_LIMITED', 'later', { retryAfterMs: 1e300 });
    };
    const { client } = await serveHealth({ check: refuse, watch: refuse });
    expect((await failure(client.check({}))).code).toBe(Code.Internal);
    expect((await failure(collect(client.watch({})))).code).toBe(Code.Internal);
    await client.list({});
  });

  test('keeps ErrorInfo alone when its details outgrow 4 KB', async () => {
    const check = () => {
      throw new ParleyError('SESSION_NOT_FOUND', 'gone', {
        resource: { type: 't', name: 'n'.repeat(100_000) },
      });
    };
    const { client } = await serveHealth({ check });
    const error = await failure(client.check({}));
    expect(error.details).toHaveLength(1);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: 'SESSION_NOT_FOUND' }]);
  });

  test('has a message of at most 2 KB on the wire, whatever the script', async () => {
    const check = () => {
      throw new ParleyError('FIELD_INVALID', '會'.repeat(5000));
    };
    const { client } = await serveHealth({ check });
    const { rawMessage } = await failure(client.check({}));
    expect(rawMessage).toMatch(/^會{100,}$/);
    expect(encodeURI(rawMessage).length).toBeLessThanOrEqual(2048);
  });
});

describe('bytes that are no request', () => {
  test.each([
    ['once', 'Check'],
    ['stream', 'Watch'],
  ])('%s: INVALID_ARGUMENT', async (_, method) => {
    const ends: unknown[] = [];
    const { port, client } = await serveHealth({}, [
      { end: (_call, code, error) => ends.push([code, error?.reason]) },
    ]);
    const call = rawCall(port, `/grpc.health.v1.Health/${method}`, frame(NOT_A_MESSAGE));
    expect(await rawStatus(call)).toBe(Code.InvalidArgument);
    expect(ends).toEqual([['INVALID_ARGUMENT', 'REQUEST_INVALID']]);
    await client.check({});
  });

  test('both ways: INVALID_ARGUMENT', async () => {
    const { port } = await serveBidi(async function* (requests) {
      for await (const _ of requests) yield {};
    });
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    expect(await rawStatus(rawCall(port, path, frame(NOT_A_MESSAGE)))).toBe(Code.InvalidArgument);
  });

  test.each([
    ['Check', '1f8b08'],
    ['Check', '0123456789abcdef'],
    ['Watch', '1f8b08'],
    ['Watch', '0123456789abcdef'],
  ])('broken gzip to %s leaves the server alive: %s', async (method, hex) => {
    const { port, client } = await serveHealth({});
    const body = frame(Buffer.from(hex, 'hex'), 1);
    const call = rawCall(port, `/grpc.health.v1.Health/${method}`, body, { 'grpc-encoding': 'gzip' });
    expect(await rawStatus(call)).toBe(Code.Internal);
    await client.check({});
  });
});

describe('a stream', () => {
  /** Streams 16 kB messages for ever and tells how many, and whether it was let go. */
  function flood() {
    const seen = { pulled: 0, released: false };
    const watch: HealthImpl['watch'] = async function* () {
      try {
        for (;;) {
          seen.pulled += 1;
          yield Buffer.alloc(16_384);
        }
      } finally {
        seen.released = true;
      }
    };
    return { seen, watch };
  }

  test('goes no further than a reader who stopped', async () => {
    const { seen, watch } = flood();
    const { port } = await serveHealth({ watch });
    const call = rawCall(port, '/grpc.health.v1.Health/Watch', frame(Buffer.alloc(0)));
    call.pause();
    await vi.waitFor(() => expect(seen.pulled).toBeGreaterThan(4));
    await sleep(300);
    const before = seen.pulled;
    expect(before).toBeLessThan(40);
    await sleep(300);
    expect(seen.pulled).toBe(before);
    call.close(8);
    await vi.waitFor(() => expect(seen.released).toBe(true));
  });

  test('is over at its deadline though nobody reads', async () => {
    const { seen, watch } = flood();
    const ends: unknown[] = [];
    const { port } = await serveHealth({ watch }, [{ end: (_call, code) => ends.push(code) }]);
    rawCall(port, '/grpc.health.v1.Health/Watch', frame(Buffer.alloc(0)), { 'grpc-timeout': '200m' }).pause();
    await vi.waitFor(() => expect(seen.pulled).toBeGreaterThan(4));
    await vi.waitFor(() => expect(seen.released).toBe(true), { timeout: 5000 });
    expect(ends).toEqual(['DEADLINE_EXCEEDED']);
  });

  test('whose caller leaves wakes a handler that waits for its signal', async () => {
    let reason: unknown;
    let released = false;
    const { client } = await serveHealth({
      async *watch(_, call: Call) {
        try {
          yield {};
          await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
          reason = call.signal.reason;
          yield {};
        } finally {
          released = true;
        }
      },
    });
    const abort = new AbortController();
    const answers = client.watch({}, { signal: abort.signal })[Symbol.asyncIterator]();
    await answers.next();
    abort.abort();
    expect((await failure(answers.next())).code).toBe(Code.Canceled);
    await vi.waitFor(() => expect(released).toBe(true));
    expect(reason).toMatchObject({ code: 'CANCELLED' });
  });

  test('whose caller leaves wakes a handler that waits for requests', async () => {
    let released = false;
    const { client } = await serveBidi(async function* (requests) {
      try {
        for await (const _ of requests) yield {};
      } finally {
        released = true;
      }
    });
    const abort = new AbortController();
    const answers = client
      .serverReflectionInfo(oneThenSilence({}), { signal: abort.signal })
      [Symbol.asyncIterator]();
    await answers.next();
    abort.abort();
    expect((await failure(answers.next())).code).toBe(Code.Canceled);
    await vi.waitFor(() => expect(released).toBe(true));
  });

  test('tells its caller to go elsewhere when the server stops', async () => {
    let released = false;
    const { client, stop } = await serveHealth({
      async *watch(_, call: Call) {
        try {
          yield {};
          await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
        } finally {
          released = true;
        }
      },
    });
    const answers = client.watch({})[Symbol.asyncIterator]();
    await answers.next();
    stop();
    const error = await failure(answers.next());
    expect(error.code).toBe(Code.Unavailable);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: 'SERVER_STOPPING' }]);
    expect(error.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n } }]);
    await vi.waitFor(() => expect(released).toBe(true));
    expect((await failure(collect(client.watch({})))).code).toBe(Code.Unavailable);
    await client.check({});
  });
});

describe('interceptors', () => {
  test('begin in order and end in reverse', async () => {
    const log: string[] = [];
    const named = (name: string): Interceptor => ({
      begin: () => void log.push(`${name} begins`),
      request: () => void log.push(`${name} reads`),
      end: (_, code) => void log.push(`${name} ends ${code}`),
    });
    const { client } = await serveHealth({ check: () => void log.push('handler') as never }, [
      named('a'),
      named('b'),
    ]);
    await client.check({});
    expect(log).toEqual(['a begins', 'b begins', 'a reads', 'b reads', 'handler', 'b ends OK', 'a ends OK']);
  });

  test.each(['begin', 'request'] as const)('refuse a call in %s', async (hook) => {
    const refuse = () => {
      throw new ParleyError('QUOTA_EXCEEDED', 'too much');
    };
    const { client } = await serveHealth({}, [{ [hook]: refuse }]);
    const refused = { code: Code.ResourceExhausted, rawMessage: 'too much' };
    expect(await failure(client.check({}))).toMatchObject(refused);
    expect(await failure(collect(client.watch({})))).toMatchObject(refused);
  });
});
