/** Structs no deeper, larger or stranger than can be kept. */
import type { Interceptor } from '../rpc/interceptor.ts';
import { checkStructs } from '../structs/guard.ts';

export const structLimits: Interceptor = {
  received(_call, schema, bytes) {
    checkStructs(schema, bytes);
  },
};
