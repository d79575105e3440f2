/** What the bench sends, encoded once: sessions of twenty configs keys, small ones, and patches. */
import type { DescMethod, DescMethodUnary, JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import { create, toBinary } from '@bufbuild/protobuf';

/** Twenty keys as an application has them; `serial` is what makes each session its own. */
export const TWENTY_KEYS: JsonObject = {
  model: 'gpt-4.1-mini',
  temperature: 0.7,
  top_p: 0.95,
  max_output_tokens: 2048,
  frequency_penalty: 0,
  presence_penalty: 0.1,
  language: 'en-GB',
  tone: 'friendly',
  persona: 'support-agent',
  timezone: 'Europe/Berlin',
  plan: 'enterprise',
  region: 'eu-central-1',
  tenant: 'acme-corporation',
  channel: 'web-chat',
  experiment: 'variant-b',
  streaming: true,
  tools_enabled: true,
  safety_level: 3,
  escalation_email: 'help@acme.example',
  serial: 0,
};

/** A request ready to be sent, with places in it for the generator's serial. */
export interface SerialBody {
  readonly body: Uint8Array;
  readonly serialAt: readonly number[];
}

/** A number whose eight bytes occur nowhere by chance, to be found and replaced. */
export const SERIAL = 123456789.0625;

/** Encodes a request that holds {@link SERIAL} so many times, as a number of a Struct. */
export function serialBody<M extends DescMethodUnary>(
  method: M,
  request: MessageInitShape<M['input']>,
  times = 1,
): SerialBody {
  const body = Buffer.from(toBinary(method.input, create(method.input, request)));
  const mark = Buffer.alloc(8);
  mark.writeDoubleLE(SERIAL);
  const serialAt: number[] = [];
  for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + 1)) serialAt.push(at);
  if (serialAt.length !== times)
    throw new Error(`a ${method.name} request holds the serial ${serialAt.length} times`);
  return { body, serialAt };
}

/** Encodes a request that goes out the same each time. */
export function fixedBody<M extends DescMethod>(
  method: M,
  request: MessageInitShape<M['input']>,
): Uint8Array {
  return toBinary(method.input, create(method.input, request));
}
