import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { ParleyError } from '../../src/errors.ts';
import { type HealthImpl, oneThenSilence, serveBidi, serveHealth } from './borrowed.ts';
import { collect, failure } from './wire.ts';

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
