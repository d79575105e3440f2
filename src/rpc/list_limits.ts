/**
 * Holds lists against their rules before anything is decoded.
 *
 * Two million empty parts are four megabytes on the wire, and seconds and
 * hundreds of megabytes as messages: too late for a rule that looks at what was
 * decoded. Small requests cannot hold that much, and go without.
 */
import { type DescField, type DescMessage, getOption, hasOption } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { field as rules } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { fieldInvalid } from '../errors.ts';
import { ownMessageOf } from './fields.ts';

/** A request below it is decoded in a few milliseconds, whatever it holds. */
const SMALL = 64 * 1024;

/** Throws FIELD_INVALID for a list that is longer than `repeated.max_items` of its field. What cannot be read is left to the decoder. */
export function checkLists(schema: DescMessage, bytes: Uint8Array): void {
  if (bytes.length > SMALL) walk(limitsOf(schema), new Counts(), new BinaryReader(bytes), bytes.length, '');
}

/** What is to be looked at in a message: its limited lists, and messages that may hold some. */
type Limits = ReadonlyMap<
  number,
  { readonly field: DescField; readonly max: number; readonly inner: Limits }
>;

/** What one message holds so far. One that is no list item may come in pieces, which are merged. */
class Counts {
  readonly items = new Map<number, number>();
  readonly #inside = new Map<number, Counts>();

  inside(number: number): Counts {
    const known = this.#inside.get(number) ?? new Counts();
    this.#inside.set(number, known);
    return known;
  }
}

function walk(limits: Limits, counts: Counts, reader: BinaryReader, end: number, path: string): void {
  while (reader.pos < end) {
    const [number, type] = reader.tag();
    const limit = limits.get(number);
    if (!limit || type !== WireType.LengthDelimited) {
      skip(reader, type, number);
      continue;
    }
    const { field, max, inner } = limit;
    const count = counts.items.get(number) ?? 0;
    counts.items.set(number, count + 1);
    if (count >= max) throw fieldInvalid(path + field.name, `must contain no more than ${max} item(s)`);
    const itemEnd = reader.uint32() + reader.pos;
    if (inner.size > 0) {
      const isItem = field.fieldKind === 'list';
      const itemPath = `${path}${field.name}${isItem ? `[${count}]` : ''}.`;
      walk(inner, isItem ? new Counts() : counts.inside(number), reader, Math.min(itemEnd, end), itemPath);
    }
    reader.pos = itemEnd;
  }
}

/** Without a copy of what is passed over. */
function skip(reader: BinaryReader, type: WireType, number: number): void {
  if (type === WireType.LengthDelimited) reader.pos = reader.uint32() + reader.pos;
  else reader.skip(type, number);
}

const known = new Map<DescMessage, Limits>();

function limitsOf(schema: DescMessage): Limits {
  let limits = known.get(schema);
  if (!limits) {
    const found: Map<number, { field: DescField; max: number; inner: Limits }> = new Map();
    limits = found;
    known.set(schema, limits); // before its fields, so that a message that holds itself does not loop
    for (const field of schema.fields) {
      const message = ownMessageOf(field);
      const inner = message ? limitsOf(message) : NONE;
      const max = field.fieldKind === 'list' ? maxItems(field) : Number.POSITIVE_INFINITY;
      if (Number.isFinite(max) || inner.size > 0) found.set(field.number, { field, max, inner });
    }
  }
  return limits;
}

const NONE: Limits = new Map();

function maxItems(field: DescField): number {
  const { type } = hasOption(field, rules) ? getOption(field, rules) : {};
  return type?.case === 'repeated'
    ? Number(type.value.maxItems) || Number.POSITIVE_INFINITY
    : Number.POSITIVE_INFINITY;
}
