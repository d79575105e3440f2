/** A call with a `request_id` may be repeated: notes what tells a retry from another request. */
import { hash } from 'node:crypto';
import type { Message } from '@bufbuild/protobuf';
import canonicalize from 'canonicalize';
import type { Interceptor } from '../rpc/interceptor.ts';

export const idempotency: Interceptor = {
  request(call, _schema, message) {
    const { requestId } = message as { requestId?: string };
    if (!requestId) return;
    call.operation = { method: call.method.name, requestId, fingerprint: fingerprint(message) };
  },
};

/**
 * Not of the bytes: a client may put map entries in another order when it encodes the same request again.
 * And not of the ProtoJSON, which knows neither every mask nor every time that can be sent.
 */
function fingerprint(message: Message): string {
  const fields: unknown = JSON.parse(JSON.stringify(message, asJson));
  return hash('sha256', canonicalize(fields)!, 'base64url').slice(0, 22);
}

function asJson(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}
