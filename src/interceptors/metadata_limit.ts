/** grpc-js takes 160 kB of metadata without a word; nobody needs that much. */
import { ParleyError } from '../errors.ts';
import type { Interceptor } from '../rpc/interceptor.ts';

const MAX_METADATA_BYTES = 16 * 1024;

export const metadataLimit: Interceptor = {
  begin({ metadata }) {
    let bytes = 0;
    for (const [name, values] of Object.entries(metadata.toJSON())) {
      for (const value of values) bytes += name.length + value.length;
    }
    if (bytes > MAX_METADATA_BYTES) {
      throw new ParleyError(
        'QUOTA_EXCEEDED',
        `the call's metadata is larger than ${MAX_METADATA_BYTES} bytes`,
      );
    }
  },
};
