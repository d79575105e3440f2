/** A call with a `request_id` may be repeated: notes what tells a retry from another request. */
import { hash } from 'node:crypto';
import { type DescMessage, type Message, toJson } from '@bufbuild/protobuf';
import canonicalize from 'canonicalize';
import type { Interceptor } from '../rpc/interceptor.ts';

export const idempotency: Interceptor = {
  request(call, schema, message) {
    const { requestId } = message as { requestId?: string };
    if (!requestId) return;
    call.operation = { method: call.method.name, requestId, fingerprint: fingerprint(schema, message) };
  },
};

/** Not of the bytes: a client may put map entries in another order when it encodes the same request again. */
function fingerprint(schema: DescMessage, message: Message): string {
  return hash('sha256', canonicalize(toJson(schema, message))!, 'base64url').slice(0, 22);
}
