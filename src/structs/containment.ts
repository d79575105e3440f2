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

import { isObject, type Json, type JsonObject } from './json.ts';
import { keepPath, knownPath } from './known_paths.ts';
import { PathHash, STEP, words } from './path_hash.ts';

/** Each element of a filter's array may have to be held against each of a value's: a second, where both are large. */
const MAX_STEPS = 500_000;

/** A filter that takes more comparisons with one value than anybody should wait for. */
export class FilterTooCostlyError extends Error {}

/** Whether `value` contains `filter`: rooted, type- and case-sensitive, objects partial, arrays as sets. */
export function contains(value: Json, filter: Json, budget = { steps: MAX_STEPS }): boolean {
  if (--budget.steps < 0) throw new FilterTooCostlyError();
  if (Array.isArray(filter)) return Array.isArray(value) && containsElements(value, filter, budget);
  if (isObject(filter)) {
    return (
      isObject(value) &&
      Object.keys(filter).every(
        (key) => Object.hasOwn(value, key) && contains(value[key]!, filter[key]!, budget),
      )
    );
  }
  return value === filter; // 1 = 1.0 and 0 = -0; strings by code unit
}

function containsElements(value: Json[], filter: Json[], budget: { steps: number }): boolean {
  budget.steps -= value.length;
  const scalars = new Set<Json>();
  const containers: Json[] = [];
  for (const item of value) {
    if (typeof item === 'object' && item !== null) containers.push(item);
    else scalars.add(item);
  }
  return filter.every((wanted) =>
    typeof wanted === 'object' && wanted !== null
      ? containers.some((item) => contains(item, wanted, budget))
      : scalars.has(wanted),
  );
}

/** One thing a document is found by: a whole object, or a name. */
export interface Findable {
  /** Keeps apart what must not find each other: tenants, and the kinds of object they search. */
  readonly scope: string;
  readonly value: JsonObject | string;
}

/**
 * The tokens of what a document is found by, each once: of an object one for the
 * object itself, one for each container in it and one for each scalar, each a
 * hash of scope, path, type and value.
 */
export function tokens(findables: readonly Findable[]): string[] {
  return JSON.parse(tokensAsJson(findables)) as string[];
}

/** The same as JSON, as documents have them. */
export function tokensAsJson(findables: readonly Findable[]): string {
  const paths = new Paths();
  for (const { scope, value } of findables) paths.collect(value, new PathHash().step(STEP.key, scope));
  const found = words(paths.lanes);
  return paths.mayRepeat ? JSON.stringify([...new Set(JSON.parse(found) as string[])]) : found;
}

/** The paths through values, with what stands at their ends. */
class Paths {
  /** Both lanes of each. */
  readonly lanes: number[] = [];
  /** Only elements of an array may be the same. */
  mayRepeat = false;

  /** `path`: to the value; it ends somewhere behind it. */
  collect(value: Json, path: PathHash): void {
    if (typeof value === 'string') this.#add(path.step(STEP.string, value));
    else if (typeof value === 'number')
      this.#add(path.step(STEP.number, String(value))); // `0` and `-0` are one number
    else if (value === null) this.#add(path.step(STEP.null));
    else if (typeof value === 'boolean') this.#add(path.step(value ? STEP.true : STEP.false));
    else if (Array.isArray(value)) this.#elements(value, path);
    else this.#entries(value, path);
  }

  /** Where an element stands does not matter to containment. */
  #elements(value: readonly Json[], path: PathHash): void {
    this.mayRepeat = true;
    this.#add(path.step(STEP.array));
    const { a, b } = path;
    for (const item of value) this.collect(item, path.at(a, b));
  }

  #entries(value: JsonObject, path: PathHash): void {
    this.#add(path.step(STEP.object));
    const { a, b } = path;
    for (const key in value) {
      const item = value[key]!;
      const known = knownPath(a, b, key, item);
      if (known) {
        this.#add(known);
        continue;
      }
      this.collect(item, path.at(a, b).step(STEP.key, key));
      keepPath(a, b, key, item, path);
    }
  }

  #add({ a, b }: Pick<PathHash, 'a' | 'b'>): void {
    this.lanes.push(a, b);
  }
}
