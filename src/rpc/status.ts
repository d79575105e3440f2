/**
 * Errors on the wire: a canonical code, a message, and `google.rpc` details in
 * `grpc-status-details-bin` (https://google.aip.dev/193).
 */
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { status as Code, Metadata, type StatusObject } from '@grpc/grpc-js';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from '../../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts';
import { type FieldViolation, ParleyError } from '../errors.ts';

/**
 * Past about 50 kB of details a client hangs or drops the connection, and some
 * allow 8 KiB for all headers: 4096 bytes in base64 and the message still fit.
 */
const MAX_DETAILS_BYTES = 4096;
const MAX_MESSAGE_BYTES = 2048;
const MAX_VIOLATIONS = 10;

/** Turns what a handler threw into what the caller may know: a defect becomes INTERNAL, without its text. */
export function toParleyError(error: unknown): ParleyError {
  if (error instanceof ParleyError) return error;
  return new ParleyError('INTERNAL', 'internal error; the server log has the details', { cause: error });
}

/** The grpc-js status of an error, details included. */
export function toStatusObject(error: ParleyError): StatusObject {
  const details = clipMessage(error.message);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encoded(error, details));
  return { code: Code[error.code], details, metadata };
}

/** The `google.rpc.Status` of an error, encoded. */
export function encodeStatus(error: ParleyError): Buffer {
  return encoded(error, clipMessage(error.message));
}

function encoded(error: ParleyError, message: string): Buffer {
  const encode = (details: Any[]) =>
    Buffer.from(toBinary(StatusSchema, create(StatusSchema, { code: Code[error.code], message, details })));
  const all = encode(detailsOf(error));
  // ErrorInfo, which comes first, is what programs decide by; the rest only explains.
  return all.length <= MAX_DETAILS_BYTES ? all : encode(detailsOf(error).slice(0, 1));
}

function detailsOf(error: ParleyError): Any[] {
  const { fields, resource, retryAfterMs } = error.context;
  const details = [pack(ErrorInfoSchema, { reason: error.reason, domain: 'parley' })];
  if (fields)
    details.push(
      pack(BadRequestSchema, { fieldViolations: fields.slice(0, MAX_VIOLATIONS).map(clipViolation) }),
    );
  if (resource) {
    details.push(pack(ResourceInfoSchema, { resourceType: resource.type, resourceName: resource.name }));
  }
  if (retryAfterMs !== undefined) {
    const seconds = Math.floor(retryAfterMs / 1000);
    const nanos = Math.round((retryAfterMs % 1000) * 1e6);
    details.push(pack(RetryInfoSchema, { retryDelay: { seconds: BigInt(seconds), nanos } }));
  }
  return details;
}

function clipViolation({ field, description }: FieldViolation): FieldViolation {
  return { field: clip(field, 256), description: clip(description, 128) };
}

/** Clips to what a message takes up percent-encoded, nine bytes for one Chinese character. */
function clipMessage(message: string): string {
  const clipped = clip(message, MAX_MESSAGE_BYTES / 2);
  return encodeURI(clipped).length <= MAX_MESSAGE_BYTES
    ? clipped
    : clipMessage(clip(clipped, clipped.length / 2));
}

/** A lone surrogate, whether sent or made by cutting a pair, would kill the process inside grpc-js. */
function clip(text: string, length: number): string {
  return text.slice(0, length).toWellFormed();
}

function pack<D extends DescMessage>(schema: D, value: MessageInitShape<D>): Any {
  return anyPack(schema, create(schema, value));
}
