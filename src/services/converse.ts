/** Converse: a stream of messages in, the domain's conversation out. */
import {
  type ConverseRequest,
  ConverseRequestSchema,
  type Open,
} from '../../gen/parley/v1/chat_service_pb.ts';
import { Conversation, type Said } from '../chat/conversation.ts';
import type { Runs } from '../chat/runs.ts';
import type { TurnCounter } from '../chat/tokens.ts';
import { fieldInvalid, serverStopping } from '../errors.ts';
import type { Call } from '../rpc/call.ts';
import { fingerprint } from '../rpc/fingerprint.ts';
import type { Caller } from '../sessions/store.ts';
import { askOf, askSettings } from './chat_input.ts';
import { keyOf } from './session_input.ts';

/** The events of a conversation, as frames. */
export async function* converse(
  runs: Runs,
  count: TurnCounter,
  requests: AsyncIterable<ConverseRequest>,
  call: Call,
): AsyncGenerator<readonly Uint8Array[]> {
  const iterator = requests[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done || first.value.input.case !== 'open') throw fieldInvalid('open', 'must come first');
  if (first.value.sessionId === '') throw fieldInvalid('session_id', 'is missing');
  const open = first.value.input.value;
  call.endsByItself = true; // what is being said when the server stops may be said to its end
  const conversation = new Conversation(runs, keyOf(first.value), call.signal);
  yield* conversation.events(inputs({ [Symbol.asyncIterator]: () => iterator }, open, count, call));
  if (call.stopping.aborted) throw serverStopping();
}

async function* inputs(
  requests: AsyncIterable<ConverseRequest>,
  open: Open,
  count: TurnCounter,
  call: Call,
): AsyncGenerator<Said> {
  const settings = askSettings(open);
  let said = 0;
  for await (const request of untilStop(requests, call.stopping)) {
    const { input } = request;
    if (input.case === 'cancel') {
      yield { kind: 'cancel' };
    } else if (input.case === 'message') {
      said++;
      const ask = await askOf(settings, [input.value], count);
      yield { kind: 'ask', ask, caller: callerOf(open, request, said, call) };
    } else {
      throw fieldInvalid('open', 'comes only once');
    }
  }
}

/** Nothing more is taken once the server stops. */
async function* untilStop<T>(items: AsyncIterable<T>, stopping: AbortSignal): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  let stop = () => {};
  const onStop = () => stop();
  stopping.addEventListener('abort', onStop, { once: true });
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        stop = () => resolve({ done: true, value: undefined });
        if (stopping.aborted) stop();
        iterator.next().then(resolve, reject);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    stopping.removeEventListener('abort', onStop);
  }
}

/** Each message is a call of its own, which its number tells from the others. */
function callerOf(open: Open, request: ConverseRequest, number: number, call: Call): Caller {
  const { requestId } = open;
  const operation = {
    method: call.method.name,
    requestId: `${requestId}/${number}`,
    fingerprint: fingerprint(ConverseRequestSchema, request),
  };
  return {
    operation: requestId === '' ? undefined : operation,
    principal: call.principal,
    throwIfOver: () => call.throwIfOver(),
    signal: call.signal,
  };
}
