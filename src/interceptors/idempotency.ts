/** A call with a `request_id` may be repeated: notes what tells a retry from another request. */
import { fingerprint } from '../rpc/fingerprint.ts';
import type { Interceptor } from '../rpc/interceptor.ts';

export const idempotency: Interceptor = {
  request(call, schema, message) {
    const { requestId } = message as { requestId?: string };
    if (!requestId) return;
    call.operation = { method: call.method.name, requestId, fingerprint: fingerprint(schema, message) };
  },
};
