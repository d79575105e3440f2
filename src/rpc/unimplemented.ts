/** RPCs the API has and this version has not. */
import { ParleyError } from '../errors.ts';
import type { Call } from './call.ts';

export async function unimplemented(_request: unknown, call: Call): Promise<never> {
  throw new ParleyError('METHOD_UNIMPLEMENTED', `${call.path} is not part of this version`);
}

// biome-ignore lint/correctness/useYield: it ends before there is anything to yield
export async function* unimplementedStream(request: unknown, call: Call): AsyncGenerator<never> {
  await unimplemented(request, call);
}
