/** protovalidate's violations, in words that help somebody who has not read the rules. */
import type { DescEnum, Message } from '@bufbuild/protobuf';
import type { Violation } from '@bufbuild/protovalidate';
import type { FieldViolation } from '../errors.ts';
import { fieldValue } from '../rpc/fields.ts';

/** Which field of a message a violation is of, and what is wrong with it. */
export function toFieldViolation(violation: Violation, message: Message): FieldViolation {
  return {
    field: violation.field.map(step).join('').replace(/^\./, ''),
    description: description(violation, valueAt(message, violation.field)),
  };
}

function step(part: Violation['field'][number]): string {
  if (part.kind === 'list_sub') return `[${part.index}]`;
  if (part.kind === 'map_sub') return `[${JSON.stringify(String(part.key))}]`;
  return `.${part.name}`; // a field; extensions are not used here
}

function description({ message, field }: Violation, value: unknown): string {
  if (value === '') return 'is required';
  const type = enumOf(field);
  if (!type) return message;
  return value === 0 ? `is required: ${namesOf(type)}` : `must be one of ${namesOf(type)}`;
}

/** The enum a field is of, once or repeatedly. */
function enumOf(path: Violation['field']): DescEnum | undefined {
  const field = path.findLast((part) => part.kind === 'field');
  return field?.enum;
}

/** What may be said of it. */
function namesOf({ values }: DescEnum): string {
  return values
    .filter(({ number }) => number !== 0)
    .map(({ name }) => name)
    .join(', ');
}

function valueAt(message: Message, path: Violation['field']): unknown {
  let value: unknown = message;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (part.kind === 'list_sub') value = (value as unknown[])[part.index];
    else value = part.kind === 'field' ? fieldValue(value, part) : undefined;
  }
  return value;
}
