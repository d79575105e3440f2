/** Messages by their descriptors: the fields of any of them. */
import type { DescField, DescMessage } from '@bufbuild/protobuf';

/** The message a field holds, once or repeatedly; maps of messages are not in this API. */
export function messageOf(field: DescField): DescMessage | undefined {
  return field.fieldKind === 'message' || field.fieldKind === 'list' ? field.message : undefined;
}

/** The same, where it is of this API: Google's have no rules of ours, and a Struct is no message here. */
export function ownMessageOf(field: DescField): DescMessage | undefined {
  const message = messageOf(field);
  return message?.typeName.startsWith('google.') ? undefined : message;
}

/** What a field of a message, or of the init of one, holds; undefined when another member of its oneof is set. */
export function fieldValue(message: object, { localName, oneof }: DescField): unknown {
  const fields = message as Record<string, unknown>;
  if (!oneof) return fields[localName];
  const choice = fields[oneof.localName] as { case?: string; value?: unknown } | undefined;
  return choice?.case === localName ? choice.value : undefined;
}
