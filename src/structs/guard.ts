/**
 * Limits on `google.protobuf.Struct` fields, held against the encoded request.
 *
 * Before decoding, because decoding is what a hostile Struct makes expensive,
 * and because past a depth of its own the decoder refuses the whole message
 * without a word about the field.
 */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { fieldInvalid, type ParleyError } from '../errors.ts';

/** The most nested containers in a Struct, the root included. */
export const MAX_DEPTH = 32;
/** The largest Struct, as protobuf, in bytes. */
export const MAX_BYTES = 64 * 1024;

/**
 * Checks every Struct field of an encoded message: depth, size, and no NaN or
 * Infinity. Throws FIELD_INVALID with the path down to the value, and any other
 * error when the bytes are not protobuf.
 */
export function checkStructs(schema: DescMessage, bytes: Uint8Array): void {
  if (structFields(schema).size > 0) new Guard(bytes).message(schema, bytes.length);
}

class Guard {
  readonly #reader: BinaryReader;
  /** Field names, list indices, and the keys inside a Struct, down to where we are. */
  readonly #path: string[] = [];
  /** How many of these steps are fields. */
  #fieldSteps = 0;

  constructor(bytes: Uint8Array) {
    this.#reader = new BinaryReader(bytes);
  }

  message(schema: DescMessage, end: number): void {
    const counts = new Map<number, number>();
    this.#fields(end, (number, wireType) => {
      const field = structFields(schema).get(number);
      if (!field || wireType !== WireType.LengthDelimited) return false;
      const index = counts.get(number) ?? 0;
      counts.set(number, index + 1);
      const name = field.fieldKind === 'list' ? `${field.name}[${index}]` : field.name;
      this.#inside(this.#path.length === 0 ? name : `.${name}`, end, (fieldEnd) => {
        if (!isStruct(field.message)) this.message(field.message, fieldEnd);
        else this.#root(fieldEnd);
      });
      return true;
    });
  }

  #root(end: number): void {
    this.#fieldSteps = this.#path.length;
    if (end - this.#reader.pos > MAX_BYTES) throw this.#invalid(`larger than ${MAX_BYTES} bytes as protobuf`);
    this.#struct(end, 1);
  }

  #struct(end: number, depth: number): void {
    this.#checkDepth(depth);
    this.#fields(end, (number, wireType) => {
      if (number !== 1 || wireType !== WireType.LengthDelimited) return false;
      this.#entry(this.#enter(end), depth);
      return true;
    });
  }

  #entry(end: number, depth: number): void {
    let key = '';
    this.#fields(end, (number, wireType) => {
      if (wireType !== WireType.LengthDelimited) return false;
      if (number === 1) key = this.#reader.string();
      else if (number === 2) this.#inside(key, end, (valueEnd) => this.#value(valueEnd, depth));
      else return false;
      return true;
    });
  }

  #value(end: number, depth: number): void {
    this.#fields(end, (number, wireType) => {
      if (number === 2 && wireType === WireType.Bit64) {
        if (!Number.isFinite(this.#reader.double())) throw this.#invalid('NaN and Infinity are no JSON');
      } else if (number === 5 && wireType === WireType.LengthDelimited)
        this.#struct(this.#enter(end), depth + 1);
      else if (number === 6 && wireType === WireType.LengthDelimited) this.#list(this.#enter(end), depth + 1);
      else return false;
      return true;
    });
  }

  #list(end: number, depth: number): void {
    this.#checkDepth(depth);
    let index = 0;
    this.#fields(end, (number, wireType) => {
      if (number !== 1 || wireType !== WireType.LengthDelimited) return false;
      this.#inside(String(index++), end, (valueEnd) => this.#value(valueEnd, depth));
      return true;
    });
  }

  /** Calls `known` for each field up to `end`; a field it does not take is skipped. */
  #fields(end: number, known: (number: number, wireType: WireType) => boolean): void {
    while (this.#reader.pos < end) {
      const [number, wireType] = this.#reader.tag();
      if (!known(number, wireType)) this.#reader.skip(wireType, number);
    }
  }

  /** Reads a length, and says where what follows ends. */
  #enter(end: number): number {
    const length = this.#reader.uint32();
    if (this.#reader.pos + length > end) throw new RangeError('a nested message is longer than its parent');
    return this.#reader.pos + length;
  }

  #inside(step: string, end: number, check: (end: number) => void): void {
    this.#path.push(step);
    check(this.#enter(end));
    this.#path.pop();
  }

  #checkDepth(depth: number): void {
    if (depth > MAX_DEPTH) throw this.#invalid(`nested deeper than ${MAX_DEPTH} levels`);
  }

  /** `session.participants[0].settings` and then `["key"]["0"]`, as far down as we are. */
  #invalid(description: string): ParleyError {
    const fields = this.#path.slice(0, this.#fieldSteps).join('');
    const keys = this.#path.slice(this.#fieldSteps).map((key) => `[${JSON.stringify(key)}]`);
    return fieldInvalid(fields + keys.join(''), description);
  }
}

type MessageField = DescField & { message: DescMessage };
const fieldsBySchema = new Map<DescMessage, Map<number, MessageField>>();

/** The fields of a message that are Structs or hold some. */
function structFields(schema: DescMessage): Map<number, MessageField> {
  let fields = fieldsBySchema.get(schema);
  if (!fields) {
    fields = new Map();
    fieldsBySchema.set(schema, fields); // first, so that a message that holds itself does not loop
    for (const field of schema.fields) {
      const message = field.fieldKind === 'message' || field.fieldKind === 'list' ? field.message : undefined;
      if (message && (isStruct(message) || structFields(message).size > 0)) {
        fields.set(field.number, field as MessageField);
      }
    }
  }
  return fields;
}

function isStruct(schema: DescMessage): boolean {
  return schema.typeName === 'google.protobuf.Struct';
}
