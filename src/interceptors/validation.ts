/** The rules the protos state on their fields (https://protovalidate.com). */
import { type DescMessage, isMessage, type Message } from '@bufbuild/protobuf';
import { createValidator } from '@bufbuild/protovalidate';
import { type FieldViolation, ParleyError } from '../errors.ts';
import type { Interceptor } from '../rpc/interceptor.ts';
import { regexMatch } from './regex_match.ts';
import { surelyValid } from './surely_valid.ts';
import { toFieldViolation } from './violations.ts';

export function validation(): Interceptor {
  const thorough = createValidator({ regexMatch });
  const brief = createValidator({ regexMatch, failFast: true });
  return {
    request(_call, schema, message, bytes) {
      if (surelyValid(schema, message)) return;
      // An item takes two bytes at least.
      const many = bytes > 2 * MANY_ITEMS && countItems(schema, message) > MANY_ITEMS;
      const validator = many ? brief : thorough;
      const result = validator.validate(schema, message);
      // 'error' means that a rule itself is broken: a defect of ours.
      if (result.kind === 'error') throw result.error;
      if (result.kind === 'invalid')
        throw invalid(result.violations.map((violation) => toFieldViolation(violation, message)));
    },
  };
}

/** Half a million bad items would be half a million violations, and a second in which nobody else is served. */
const MANY_ITEMS = 1000;

/** All items of all lists in a message; Structs, which have limits of their own, left out. */
function countItems(schema: DescMessage, message: Message): number {
  const fields = message as unknown as Record<string, unknown>;
  let count = 0;
  for (const field of schema.fields) {
    const value = fields[field.localName];
    if (field.fieldKind === 'list') {
      const items = value as unknown[];
      count += items.length;
      if (field.message) for (const item of items) count += countItems(field.message, item as Message);
    } else if (field.fieldKind === 'message' && isMessage(value)) {
      count += countItems(field.message, value);
    }
  }
  return count;
}

function invalid(fields: FieldViolation[]): ParleyError {
  const first = fields[0]!;
  const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : '';
  return new ParleyError('FIELD_INVALID', `${first.field}: ${first.description}${more}`, { fields });
}
