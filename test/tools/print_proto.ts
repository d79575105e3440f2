/**
 * Prints a proto2 file from its descriptor: just as much of the language as
 * validate.proto speaks. print_proto.test.ts sees whether that is still enough.
 */
import type { DescField, DescFile, DescMessage, DescOneof, MessageShape, Registry } from '@bufbuild/protobuf';
import { toText } from '@bufbuild/protobuf/txtpb';
import {
  type DescriptorProto_ExtensionRange,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldOptionsSchema,
  FileOptionsSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';

type Lines = readonly string[];

/** @param registry Knows the extensions that the file's options use. */
export function printProto({ proto, messages, enums, extensions }: DescFile, registry: Registry): string {
  const lines = [
    'syntax = "proto2";',
    `package ${proto.package};`,
    ...proto.dependency.map((name) => `import ${JSON.stringify(name)};`),
    ...options(FileOptionsSchema, proto.options, registry).map((option) => `option ${option};`),
    ...extensions.flatMap((it) => block(`extend .${it.extendee.typeName}`, [field(it.proto, registry)])),
    ...messages.flatMap((it) => message(it, registry)),
    ...enums.flatMap((it) => enumeration(it.proto)),
  ];
  return `${lines.join('\n')}\n`;
}

function message({ proto, members }: DescMessage, registry: Registry): Lines {
  return block(`message ${proto.name}`, [
    ...members.flatMap((it) => member(it, registry)),
    ...proto.extensionRange.map((range) => `extensions ${numbers(range)};`),
    ...proto.reservedRange.map((range) => `reserved ${numbers(range)};`),
    ...proto.reservedName.map((name) => `reserved "${name}";`),
  ]);
}

function member(desc: DescField | DescOneof, registry: Registry): Lines {
  if (desc.kind === 'field') return [field(desc.proto, registry)];
  const fields = desc.fields.map((it) => field(it.proto, registry).replace(/^optional /, ''));
  return block(`oneof ${desc.name}`, fields);
}

function field(proto: FieldDescriptorProto, registry: Registry): string {
  const label = Label[proto.label].toLowerCase();
  const type = proto.typeName || Type[proto.type].toLowerCase();
  const list = options(FieldOptionsSchema, proto.options, registry);
  return `${label} ${type} ${proto.name} = ${proto.number}${list.length > 0 ? ` [${list.join(', ')}]` : ''};`;
}

function enumeration(proto: EnumDescriptorProto): Lines {
  return block(`enum ${proto.name}`, [
    ...proto.value.map(({ name, number }) => `${name} = ${number};`),
    // Of an enum the end of a range is its last number.
    ...proto.reservedRange.map(({ start, end }) => `reserved ${start} to ${end};`),
    ...proto.reservedName.map((name) => `reserved "${name}";`),
  ]);
}

function numbers({ start, end }: Pick<DescriptorProto_ExtensionRange, 'start' | 'end'>): string {
  return `${start} to ${end === 2 ** 29 ? 'max' : end - 1}`;
}

/** `name = value` each, made from the text format's `name: value`, `name {…}` and `[extension] {…}`. */
function options<D extends DescMessage>(
  schema: D,
  value: MessageShape<D> | undefined,
  registry: Registry,
): Lines {
  if (!value) return [];
  const fields = toText(schema, value, { registry })
    .trimEnd()
    .split(/\n(?=[^\s}])/);
  return fields.map((text) => text.replace(/^\[(.+?)\]/, '($1)').replace(/^(\S+?):? /, '$1 = '));
}

function block(head: string, body: Lines): Lines {
  return [`${head} {`, ...body.map((line) => line.replace(/^/gm, '  ')), '}'];
}
