/** What tells a retry from another request. */
import { hash } from 'node:crypto';
import { type DescField, type DescMessage, isFieldSet, type Message } from '@bufbuild/protobuf';
import canonicalize from 'canonicalize';
import { fieldValue, messageOf } from './fields.ts';

/**
 * Not of the bytes: a client may put map entries in another order when it encodes the same request again. Not of
 * the ProtoJSON, which knows neither every mask nor every time that can be sent. And of the fields that are set
 * only, so that a later version, which has more fields, still knows the request.
 */
export function fingerprint(schema: DescMessage, message: Message): string {
  const fields: unknown = JSON.parse(JSON.stringify(setFields(schema, message), asJson));
  return hash('sha256', canonicalize(fields)!, 'base64url').slice(0, 22);
}

function setFields(schema: DescMessage, message: Message): object {
  const set = schema.fields.filter((field) => isFieldSet(message, field));
  return Object.fromEntries(set.map((field) => [field.name, contentOf(field, message)]));
}

function contentOf(field: DescField, message: Message): unknown {
  const value = fieldValue(message, field);
  if (value instanceof Uint8Array) return hash('sha256', value, 'base64url');
  const inner = messageOf(field);
  if (!inner || inner.typeName === 'google.protobuf.Struct') return value; // a Struct is plain JSON
  if (field.fieldKind === 'list') return (value as Message[]).map((item) => setFields(inner, item));
  return setFields(inner, value as Message);
}

function asJson(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
