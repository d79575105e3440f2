/**
 * Containment to the letter of PostgreSQL's `jsonb @>`
 * (https://www.postgresql.org/docs/current/datatype-json.html#JSON-CONTAINMENT),
 * and the tokens by which an index finds candidates for it.
 *
 * As in PostgreSQL's `jsonb_path_ops`, a document carries a hash of every path
 * with the value at its end. A document that contains the filter carries all of
 * the filter's tokens; the reverse is not certain (two array elements may share
 * what one must have, hashes may collide), so {@link contains} decides.
 */
import { hash } from 'node:crypto';
import { isObject, type Json, type JsonObject } from './json.ts';

/** Whether `value` contains `filter`: rooted, type- and case-sensitive, objects partial, arrays as sets. */
export function contains(value: Json, filter: Json): boolean {
  if (Array.isArray(filter)) return Array.isArray(value) && containsElements(value, filter);
  if (isObject(filter)) {
    return (
      isObject(value) &&
      Object.keys(filter).every((key) => Object.hasOwn(value, key) && contains(value[key]!, filter[key]!))
    );
  }
  return value === filter; // 1 = 1.0 and 0 = -0; strings by code unit
}

function containsElements(value: Json[], filter: Json[]): boolean {
  const scalars = new Set<Json>();
  const containers: Json[] = [];
  for (const item of value) {
    if (typeof item === 'object' && item !== null) containers.push(item);
    else scalars.add(item);
  }
  return filter.every((wanted) =>
    typeof wanted === 'object' && wanted !== null
      ? containers.some((item) => contains(item, wanted))
      : scalars.has(wanted),
  );
}

/**
 * The tokens of an object: one for the object itself, one for each container in
 * it and one for each scalar, each a hash of `scope`, path, type and value as
 * 12 hexadecimal digits.
 *
 * `scope` keeps apart what must not find each other: tenants, and the kinds of
 * object they search.
 */
export function tokens(scope: string, value: JsonObject): Set<string> {
  const found = new Set<string>();
  collect(value, JSON.stringify(scope), found);
  return found;
}

/** One token for something that is not an object: a member, a state. */
export function token(scope: string, name: string): string {
  return digest(`${JSON.stringify(scope)}=${JSON.stringify(name)}`);
}

function collect(value: Json, path: string, found: Set<string>): void {
  if (Array.isArray(value)) {
    found.add(digest(`${path}=a`));
    // Where an element stands does not matter to containment.
    for (const item of value) collect(item, `${path}[]`, found);
  } else if (isObject(value)) {
    found.add(digest(`${path}=o`));
    for (const key of Object.keys(value)) collect(value[key]!, `${path}.${JSON.stringify(key)}`, found);
  } else {
    // `0` and `-0` are one number, and print alike.
    found.add(digest(`${path}=${JSON.stringify(value)}`));
  }
}

/** 48 bits: a collision costs one needless recheck. */
function digest(text: string): string {
  return hash('sha1', text, 'hex').slice(0, 12);
}
