import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokens } from '../../src/structs/containment.ts';
import { isObject, type Json } from '../../src/structs/json.ts';
import { keepPath, knownPath } from '../../src/structs/known_paths.ts';
import { PathHash, STEP, words } from '../../src/structs/path_hash.ts';
import { forAll } from '../property.ts';
import { smallObject } from './arbitrary.ts';

type Step = [kind: number, text?: string];

/** The tokens of a value with nothing remembered: each path from its beginning. */
function freshTokens(scope: string, value: Json): Set<string> {
  const lanes: number[] = [];
  const walk = (path: Step[], item: Json) => {
    const add = (...step: Step) => {
      const end = [...path, step].reduce((hash, [kind, text]) => hash.step(kind, text), new PathHash());
      lanes.push(end.a, end.b);
    };
    if (typeof item === 'string') add(STEP.string, item);
    else if (typeof item === 'number') add(STEP.number, String(item));
    else if (typeof item === 'boolean') add(item ? STEP.true : STEP.false);
    else if (item === null) add(STEP.null);
    else {
      const within: Step = [isObject(item) ? STEP.object : STEP.array];
      add(...within);
      for (const [key, each] of Object.entries(item)) {
        walk([...path, within, ...(isObject(item) ? [[STEP.key, key] as Step] : [])], each);
      }
    }
  };
  walk([[STEP.key, scope]], value);
  return new Set(JSON.parse(words(lanes)) as string[]);
}

describe('paths that are known', () => {
  it('end where they do when nothing is remembered, whatever was asked about before', () => {
    forAll(
      [fc.constantFrom('one', 'two'), smallObject],
      (scope, value) => expect(new Set(tokens([{ scope, value }]))).toEqual(freshTokens(scope, value)),
      2_000,
    );
  });

  it('are told apart by where they begin, by key and by value', () => {
    const end = new PathHash().at(3, 4);
    keepPath(1, 2, 'key', 'value', end);
    expect(knownPath(1, 2, 'key', 'value')).toMatchObject({ a: 3, b: 4 });
    expect(knownPath(1, 9, 'key', 'value')).toBeUndefined();
    expect(knownPath(9, 2, 'key', 'value')).toBeUndefined();
    expect(knownPath(1, 2, 'other', 'value')).toBeUndefined();
    expect(knownPath(1, 2, 'key', 'other')).toBeUndefined();
    keepPath(1, 2, 'key', 1, end);
    expect(knownPath(1, 2, 'key', '1')).toBeUndefined();
  });

  it('do not lead to containers, nor hold on to long texts or to many keys', () => {
    const end = new PathHash();
    const long = 'x'.repeat(65);
    for (const value of [{}, [], long]) {
      keepPath(1, 2, 'kept?', value, end);
      expect(knownPath(1, 2, 'kept?', value)).toBeUndefined();
    }
    keepPath(1, 2, long, 1, end);
    expect(knownPath(1, 2, long, 1)).toBeUndefined();
    const keys = Array.from({ length: 5_000 }, (_, at) => `key ${at}`);
    for (const key of keys) keepPath(1, 2, key, 1, end);
    expect(keys.filter((key) => knownPath(1, 2, key, 1)).length).toBeLessThanOrEqual(1_024);
  });
});
