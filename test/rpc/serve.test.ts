import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ParleyError } from '../../src/errors.ts';
import type { Interceptor } from '../../src/rpc/interceptor.ts';
import { serveBidi, serveHealth } from './borrowed.ts';
import { collect, failure, frame, rawCall, rawStatus } from './wire.ts';

const NOT_A_MESSAGE = Buffer.from('ffffffff', 'hex');

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
