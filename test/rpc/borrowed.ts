/** Small borrowed services to serve: Health has a unary and a streaming RPC, reflection a bidirectional one. */
import { ServerReflection } from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { Health } from '../../gen/health/v1/health_pb.ts';
import type { Interceptor } from '../../src/rpc/interceptor.ts';
import type { ServiceImpl } from '../../src/rpc/service.ts';
import { startServer } from './wire.ts';

export type HealthImpl = ServiceImpl<typeof Health>;
type Bidi = ServiceImpl<typeof ServerReflection>['serverReflectionInfo'];

const healthy: HealthImpl = {
  check: () => ({ status: 1 }),
  list: () => ({}),
  async *watch() {
    yield { status: 1 };
  },
};

export function serveHealth(impl: Partial<HealthImpl>, interceptors?: readonly Interceptor[]) {
  return startServer(Health, { ...healthy, ...impl }, interceptors);
}

export function serveBidi(serverReflectionInfo: Bidi) {
  return startServer(ServerReflection, { serverReflectionInfo });
}

export const NEVER = new Promise<never>(() => {});

export async function* oneThenSilence<T>(message: T): AsyncGenerator<T> {
  yield message;
  await NEVER;
}
