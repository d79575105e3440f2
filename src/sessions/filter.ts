/** A caller's containment filter, held against a value. */
import { fieldInvalid } from '../errors.ts';
import { contains, FilterTooCostlyError } from '../structs/containment.ts';
import type { JsonObject } from '../structs/json.ts';

/** Whether the value contains the filter; FIELD_INVALID, naming the filter, when that would take too long to tell. */
export function holds(field: string, value: JsonObject, filter: JsonObject): boolean {
  try {
    return contains(value, filter);
  } catch (error) {
    if (!(error instanceof FilterTooCostlyError)) throw error;
    throw fieldInvalid(field, 'takes too many comparisons: its arrays hold too many objects or arrays');
  }
}
