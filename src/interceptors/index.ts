/** The chain every RPC goes through, in order. */
import type { Logger } from 'pino';
import type { Interceptor } from '../rpc/interceptor.ts';
import { idempotency } from './idempotency.ts';
import { logging } from './logging.ts';
import { metadataLimit } from './metadata_limit.ts';
import { validation } from './validation.ts';

export function interceptors(log: Logger): Interceptor[] {
  return [
    logging(log), // outermost, so that refusals are logged too
    metadataLimit, // before anything reads metadata
    validation(), // handlers see valid requests only
    idempotency, // last: what is refused above must not count as this request id's request
  ];
}
