import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '@connectrpc/connect';
import { describe, expect, test, vi } from 'vitest';
import { ErrorInfoSchema, RetryInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import type { Call } from '../../src/rpc/call.ts';
import { type HealthImpl, oneThenSilence, serveBidi, serveHealth } from './borrowed.ts';
import { collect, failure, frame, rawCall } from './wire.ts';

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
