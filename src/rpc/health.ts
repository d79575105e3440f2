/** `grpc.health.v1`: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
import { EventEmitter, once } from 'node:events';
import type { DescService } from '@bufbuild/protobuf';
import type { Health as HealthService } from '../../gen/health/v1/health_pb.ts';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '../../gen/health/v1/health_pb.ts';
import { ParleyError } from '../errors.ts';
import type { Call } from './call.ts';
import type { Answer, Request, ServiceImpl } from './service.ts';

type Method = typeof HealthService.method;

/** One status for the whole server: every service needs Redis, and none works without. */
export class Health implements ServiceImpl<typeof HealthService> {
  readonly #names: ReadonlySet<string>;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #status: ServingStatus = ServingStatus.NOT_SERVING;
  #stopped = false;

  constructor(services: readonly DescService[]) {
    this.#names = new Set(['', ...services.map((service) => service.typeName)]);
  }

  /** NOT_SERVING until said otherwise. */
  set(status: 'SERVING' | 'NOT_SERVING'): void {
    if (this.#stopped) return;
    this.#status = ServingStatus[status];
    this.#changes.emit('change');
  }

  /** NOT_SERVING for good: the server is going. */
  stop(): void {
    this.set('NOT_SERVING');
    this.#stopped = true;
  }

  check({ service }: Request<Method['check']>): Answer<Method['check']> {
    if (!this.#names.has(service))
      throw new ParleyError('SERVICE_UNKNOWN', 'this server serves no such service');
    return { status: this.#status };
  }

  list(): Answer<Method['list']> {
    return {
      statuses: Object.fromEntries(Array.from(this.#names, (name) => [name, { status: this.#status }])),
    };
  }

  /** A reader too slow for every change gets the latest one, and nothing when that is what it has. */
  async *watch({ service }: Request<Method['watch']>, call: Call): AsyncGenerator<Answer<Method['watch']>> {
    let told: ServingStatus | undefined;
    for (;;) {
      const status = this.#names.has(service) ? this.#status : ServingStatus.SERVICE_UNKNOWN;
      if (status === told) {
        await once(this.#changes, 'change', { signal: call.signal });
      } else {
        told = status;
        yield { status };
      }
    }
  }
}
