/**
 * Messages ↔ bytes, with Structs read and written by `structs/`.
 *
 * protobuf-es takes a Struct apart into message objects, value by value, which
 * is most of what a request with configs costs, and has limits of its own that
 * name no field. So every message that holds Structs has a twin in which those
 * fields are bytes: protobuf-es reads and writes the twin, and the bytes are
 * read by `structs/wire_reader.ts` and written by `structs/wire.ts`.
 */
import {
  clone,
  create,
  createFileRegistry,
  type DescField,
  type DescFile,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import type { JsonObject } from '../structs/json.ts';
import { encodeStruct } from '../structs/wire.ts';
import { decodeStruct } from '../structs/wire_reader.ts';
import { fieldValue, messageOf } from './fields.ts';

/**
 * Decodes a message. Throws FIELD_INVALID for a Struct beyond its limits, and any
 * other error for bytes that are no such message.
 */
export function decode(schema: DescMessage, bytes: Uint8Array): Message {
  const codec = codecOf(schema);
  const message = fromBinary(codec.twin, bytes, { readUnknownFields: false });
  if (codec.fields.length > 0) readStructs(codec, message as Fields, () => '');
  return message;
}

/** Encodes a message or the init of one. */
export function encode<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Buffer {
  const codec = codecOf(schema);
  const init = codec.fields.length > 0 ? writeStructs(codec, message as Fields) : message;
  const bytes = toBinary(codec.twin, create(codec.twin, init as never));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A message by its field names. */
type Fields = Record<string, unknown>;

interface Codec {
  readonly twin: DescMessage;
  /** The fields that are Structs or hold some. */
  readonly fields: readonly StructField[];
}

interface StructField {
  readonly desc: DescField;
  /** Of the message inside; undefined for a Struct itself. */
  readonly inner: Codec | undefined;
}

/** `path`: where in the request it is, for an error: most have none, and need no path. */
function readStructs({ fields }: Codec, message: Fields, path: () => string): void {
  for (const { desc, inner } of fields) {
    const value = fieldValue(message, desc);
    if (value === undefined) continue;
    const field = () => path() + desc.name;
    if (!inner) set(message, desc, decodeStruct(value as Uint8Array, field));
    else if (desc.fieldKind !== 'list') readStructs(inner, value as Fields, () => `${field()}.`);
    else
      for (const [at, item] of (value as Fields[]).entries())
        readStructs(inner, item, () => `${field()}[${at}].`);
  }
}

/** A copy in which Structs are bytes. */
function writeStructs({ fields }: Codec, message: Fields): Fields {
  // Without its type: a message would be taken for one of the twin's as it is, an init is looked at.
  const { $typeName: _type, ...written } = message;
  for (const { desc, inner } of fields) {
    const value = fieldValue(message, desc);
    if (value === undefined) continue;
    if (!inner) set(written, desc, encodeStruct(value as JsonObject));
    else if (desc.fieldKind !== 'list') set(written, desc, writeStructs(inner, value as Fields));
    else
      set(
        written,
        desc,
        (value as Fields[]).map((item) => writeStructs(inner, item)),
      );
  }
  return written;
}

function set(message: Fields, { localName, oneof }: DescField, value: unknown): void {
  if (oneof) message[oneof.localName] = { case: localName, value };
  else message[localName] = value;
}

const codecs = new Map<DescMessage, Codec>();

function codecOf(schema: DescMessage): Codec {
  let codec = codecs.get(schema);
  if (!codec) {
    const fields: StructField[] = [];
    codec = { twin: twinOf(schema), fields };
    codecs.set(schema, codec); // before its fields, so that a message that holds itself does not loop
    for (const desc of schema.fields) {
      const message = messageOf(desc);
      const inner = message && !isStruct(message) ? codecOf(message) : undefined;
      if (message && inner?.fields.length !== 0) fields.push({ desc, inner });
    }
  }
  return codec;
}

function isStruct({ typeName }: DescMessage): boolean {
  return typeName === 'google.protobuf.Struct';
}

/** Twins by file, since a message and those inside it must be of one registry. */
const twinFiles = new Map<DescFile, ReturnType<typeof createFileRegistry>>();

function twinOf(schema: DescMessage): DescMessage {
  let registry = twinFiles.get(schema.file);
  if (!registry) {
    const files = new Set<DescFile>();
    collect(schema.file, files);
    registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [...files].map(twinFile) }));
    twinFiles.set(schema.file, registry);
  }
  return registry.getMessage(schema.typeName)!;
}

/** A file after all it imports. */
function collect(file: DescFile, files: Set<DescFile>): void {
  for (const imported of file.dependencies) collect(imported, files);
  files.add(file);
}

function twinFile({ proto }: DescFile) {
  const file = clone(FileDescriptorProtoSchema, proto);
  for (const message of file.messageType) structsToBytes(message);
  return file;
}

function structsToBytes(message: DescriptorProto): void {
  for (const field of message.field) {
    if (field.typeName !== '.google.protobuf.Struct') continue;
    field.type = FieldDescriptorProto_Type.BYTES;
    field.typeName = '';
    // A message is there or not; bytes are only when they say so.
    field.proto3Optional = true;
  }
  for (const nested of message.nestedType) structsToBytes(nested);
}
