import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '@connectrpc/connect';
import { expect, test, vi } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import {
  type HealthCheckResponse,
  Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../gen/health/v1/health_pb.ts';
import { SessionService } from '../../gen/parley/v1/session_service_pb.ts';
import { Health } from '../../src/rpc/health.ts';
import { failure, frame, rawCall, startServer } from './wire.ts';

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = ServingStatus;

async function startHealth() {
  const health = new Health([SessionService, HealthService]);
  return { health, ...(await startServer(HealthService, health)) };
}

/** Collects statuses as they come. */
function follow(answers: AsyncIterable<HealthCheckResponse>): ServingStatus[] {
  const seen: ServingStatus[] = [];
  const read = async () => {
    for await (const { status } of answers) seen.push(status);
  };
  read().catch(() => {});
  return seen;
}

test('a server serves from when it says so until it says otherwise', async () => {
  const { health, client } = await startHealth();
  for (const service of ['', 'parley.v1.SessionService', 'grpc.health.v1.Health']) {
    expect(await client.check({ service })).toMatchObject({ status: NOT_SERVING });
    health.set('SERVING');
    expect(await client.check({ service })).toMatchObject({ status: SERVING });
    health.set('NOT_SERVING');
  }
});

test.each(['parley.v1.Nothing', '__proto__'])('a check of %s is NOT_FOUND', async (service) => {
  const { client } = await startHealth();
  const error = await failure(client.check({ service }));
  expect(error.code).toBe(Code.NotFound);
  expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: 'SERVICE_UNKNOWN' }]);
});

test('a list names every service', async () => {
  const { client } = await startHealth();
  const { statuses } = await client.list({});
  expect(Object.keys(statuses).sort()).toEqual(['', 'grpc.health.v1.Health', 'parley.v1.SessionService']);
});

test('a watch begins with the status and goes on with changes, each once', async () => {
  const { health, client } = await startHealth();
  const seen = follow(client.watch({ service: 'parley.v1.SessionService' }));
  await vi.waitFor(() => expect(seen).toEqual([NOT_SERVING]));
  health.set('NOT_SERVING');
  health.set('SERVING');
  await vi.waitFor(() => expect(seen).toEqual([NOT_SERVING, SERVING]));
  health.set('SERVING');
  health.set('NOT_SERVING');
  await vi.waitFor(() => expect(seen).toEqual([NOT_SERVING, SERVING, NOT_SERVING]));
});

test('a watch of an unknown service says so and stays open', async () => {
  const { health, client } = await startHealth();
  const answers = client.watch({ service: 'parley.v1.Nothing' })[Symbol.asyncIterator]();
  expect((await answers.next()).value).toMatchObject({ status: SERVICE_UNKNOWN });
  health.set('SERVING');
  expect(await Promise.race([answers.next(), sleep(200, 'still open')])).toBe('still open');
});

test('a hundred watches leave nothing behind when their callers do', async () => {
  const warnings = vi.fn();
  process.on('warning', warnings);
  const health = new Health([]);
  let open = 0;
  const { port } = await startServer(HealthService, {
    check: (request) => health.check(request),
    list: () => health.list(),
    async *watch(request, call) {
      open += 1;
      try {
        yield* health.watch(request, call);
      } finally {
        open -= 1;
      }
    },
  });
  const watch = () => rawCall(port, '/grpc.health.v1.Health/Watch', frame(Buffer.alloc(0)));
  const calls = Array.from({ length: 100 }, watch);
  await vi.waitFor(() => expect(open).toBe(100));
  for (const call of calls) call.close(8);
  await vi.waitFor(() => expect(open).toBe(0));
  process.off('warning', warnings);
  expect(warnings).not.toHaveBeenCalled();
});
