/**
 * Tells at a glance that a message keeps the rules of its fields, as nearly all do.
 *
 * protovalidate walks a message by reflection, with a path at hand for each violation it may find: a tenth of an append
 * of many turns. Here the rules our protos use most are a comparison each, made once from the same descriptors. It says
 * yes only where nothing can be wrong; all else, and every rule it does not know, is left to protovalidate.
 */
import {
  type DescField,
  type DescMessage,
  type DescOneof,
  getOption,
  hasOption,
  isFieldSet,
  type Message,
} from '@bufbuild/protobuf';
import {
  type FieldRules,
  FieldRulesSchema,
  field as fieldRules,
  Ignore,
  message as messageRules,
  oneof as oneofRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { fieldValue, ownMessageOf } from '../rpc/fields.ts';
import { regexMatch } from './regex_match.ts';

/** Whether a message is valid for sure; false when that takes a closer look. */
export function surelyValid(schema: DescMessage, message: Message): boolean {
  return checkOf(schema)(message);
}

/** Whether a value surely is as it should be. */
// biome-ignore lint/suspicious/noExplicitAny: what a field holds is of the type its rules are for
type Check = (value: any) => boolean;

const unsure: Check = () => false;

const known = new Map<DescMessage, Check>();

function checkOf(schema: DescMessage): Check {
  let check = known.get(schema);
  if (!check) {
    const checks: Check[] = [];
    check = allOf(checks);
    known.set(schema, check); // before its fields, so that a message that holds itself does not loop
    if (hasOption(schema, messageRules)) checks.push(unsure);
    checks.push(...schema.oneofs.filter((oneof) => hasOption(oneof, oneofRules)).map(isChosen));
    for (const field of schema.fields) {
      for (const inField of fieldChecks(field)) checks.push((message) => inField(fieldValue(message, field)));
    }
  }
  return check;
}

/** That all hold of those that are in the list when it is asked. */
function allOf(checks: readonly Check[]): Check {
  return (value) => {
    for (const check of checks) if (!check(value)) return false;
    return true;
  };
}

/** `required` is all that validate.proto has to say of a oneof. */
function isChosen({ localName }: DescOneof): Check {
  return (message) => message[localName].case !== undefined;
}

/** None when any value will do. */
function fieldChecks(field: DescField): Check[] {
  const checks: Check[] = [];
  if (hasOption(field, fieldRules)) checks.push(valueCheck(getOption(field, fieldRules), field));
  if (field.fieldKind === 'map') checks.push(unsure);
  const message = ownMessageOf(field);
  if (message) {
    const inside = checkOf(message);
    checks.push(
      field.fieldKind === 'list' ? ofEach(inside) : (value) => value === undefined || inside(value),
    );
  }
  return checks;
}

function ofEach(check: Check): Check {
  return (items: readonly unknown[]) => {
    for (const item of items) if (!check(item)) return false;
    return true;
  };
}

/** What rules say of the value of a field, or of an item of one. */
function valueCheck(rules: FieldRules, field: DescField): Check {
  const { ignore, required, type } = rules;
  if (ignore === Ignore.ALWAYS) return () => true;
  const others = FieldRulesSchema.fields.some((rule) => isFieldSet(rules, rule) && !isKnown(rule));
  const check = others ? unsure : typeCheck(type, field);
  const skipsZero = ignore === Ignore.IF_ZERO_VALUE;
  return (value) => {
    const isZero = value === undefined || value === '' || value === 0 || value === 0n;
    // An empty list is none, and a zero that was said is one: those are left to protovalidate.
    if (required && (isZero || Array.isArray(value))) return false;
    return value === undefined || (isZero && skipsZero) || check(value);
  };
}

/** The rules of the field itself that are seen to here. */
function isKnown({ name, oneof }: DescField): boolean {
  return name === 'required' || name === 'ignore' || oneof?.name === 'type';
}

/** What the rules of a type say: all that are set, by their names in validate.proto. */
function typeCheck(type: FieldRules['type'], field: DescField): Check {
  if (type.case === undefined) return field.fieldKind === 'message' ? () => true : unsure;
  const table = RULES[type.case];
  const schema = FieldRulesSchema.field[type.case].message;
  if (!table || !schema) return unsure;
  const set = schema.fields.filter((rule) => isFieldSet(type.value, rule));
  return allOf(set.map((rule) => table[rule.name]?.(fieldValue(type.value, rule), field) ?? unsure));
}

/** Makes the check of a rule from what it was set to. */
// biome-ignore lint/suspicious/noExplicitAny: each rule has a type of its own
type Rule = (to: any, field: DescField) => Check | undefined;

const NUMBERS: Readonly<Record<string, Rule>> = {
  gt: (to) => (value) => value > to,
  gte: (to) => (value) => value >= to,
  lt: (to) => (value) => value < to,
  lte: (to) => (value) => value <= to,
};

/** By the type they are for; a length is in characters, of one or two of V8's, or in bytes, one to three of each of those. */
const RULES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  string: {
    pattern: (to: string) => (value: string) => regexMatch(to, value),
    min_len: (to) => (value: string) => value.length >= 2 * Number(to) - 1,
    max_len: (to) => (value: string) => value.length <= Number(to),
    min_bytes: (to) => (value: string) => value.length >= Number(to),
    max_bytes: (to) => (value: string) => 3 * value.length <= Number(to),
  },
  int32: NUMBERS,
  uint32: NUMBERS,
  enum: {
    defined_only: (to: boolean, field) => {
      const values = 'enum' in field ? field.enum?.value : undefined;
      return to && values ? (value: number) => values[value] !== undefined : undefined;
    },
  },
  repeated: {
    min_items: (to) => (items: readonly unknown[]) => items.length >= Number(to),
    max_items: (to) => (items: readonly unknown[]) => items.length <= Number(to),
    items: (to: FieldRules, field) => ofEach(valueCheck(to, field)),
  },
};
