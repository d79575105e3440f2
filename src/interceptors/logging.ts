/** One line per call at debug, and everything about a defect at error. */
import type { Logger } from 'pino';
import type { ParleyError } from '../errors.ts';
import type { Interceptor } from '../rpc/interceptor.ts';

export function logging(log: Logger): Interceptor {
  return {
    end(call, code, error) {
      if (code === 'INTERNAL')
        log.error({ method: call.path, err: error?.cause }, 'a call failed by a defect');
      // Redis is there and says no: a disk is full, a replica is written to. Nothing else would tell.
      if (isRedisRefusal(error)) log.warn({ method: call.path, err: error?.cause }, 'Redis refused');
      if (!log.isLevelEnabled('debug')) return;
      const ms = Math.round((performance.now() - call.startedAt) * 1000) / 1000;
      log.debug({ method: call.path, code, reason: error?.reason, peer: call.peer, ms }, 'call');
    },
  };
}

function isRedisRefusal(error: ParleyError | undefined): boolean {
  return (
    error?.reason.startsWith('STORAGE_') === true && (error.cause as Error | undefined)?.name === 'ReplyError'
  );
}
