/** What cuts across every RPC: one idea per interceptor, hooks instead of nested calls to stay cheap. */
import type { DescMessage, Message } from '@bufbuild/protobuf';
import type { CodeName, ParleyError } from '../errors.ts';
import type { Call } from './call.ts';

/** Hooks run in the order of the chain, `end` in the reverse order. What `begin` and `request` throw is the answer. */
export interface Interceptor {
  /** Before anything of the request is decoded. */
  begin?(call: Call): void;
  /** For each request message, decoded, before the handler sees it. May change it. `bytes`: how large it was. */
  request?(call: Call, schema: DescMessage, message: Message, bytes: number): void;
  /** Once, after the status is decided. Must not throw. */
  end?(call: Call, code: CodeName | 'OK', error: ParleyError | undefined): void;
}
