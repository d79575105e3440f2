/** What a call was refused with, as a client reads it. */
import { Code, ConnectError } from '@connectrpc/connect';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from '../gen/google/rpc/error_details_pb.ts';

/** The error of a call that must fail. */
export async function failure(call: Promise<unknown>): Promise<ConnectError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error),
  );
  if (!outcome) throw new Error('the call succeeded');
  return outcome;
}

/** Code, reason and field paths in one line: `INVALID_ARGUMENT FIELD_INVALID page_size`. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  return summary(await failure(call));
}

export function summary(error: ConnectError): string {
  const [info] = error.findDetails(ErrorInfoSchema);
  const fields = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  const parts = [
    codeName(error),
    info?.reason ?? `(${error.rawMessage})`,
    ...fields.map(({ field }) => field),
  ];
  return parts.join(' ');
}

/** `parley.v1.Session abc`: what the error is about. */
export function resource(error: ConnectError): string {
  return error
    .findDetails(ResourceInfoSchema)
    .map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`)
    .join();
}

/** After how many seconds a retry may help; undefined when the error does not say. */
export function retryDelay(error: ConnectError): number | undefined {
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay && Number(delay.seconds) + delay.nanos / 1e9;
}

function codeName({ code }: ConnectError): string {
  return Code[code]
    .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toUpperCase()
    .replace('CANCELED', 'CANCELLED');
}
