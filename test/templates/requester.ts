/** Who waits for a template, for ever unless there is a signal. */
import type { Requester } from '../../src/templates/template.ts';

export function aRequester(namespace = 'default', signal = new AbortController().signal): Requester {
  return { namespace, signal };
}
