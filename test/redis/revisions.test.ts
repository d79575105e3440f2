import { deepStrictEqual } from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { revisionEntry, revisionsBefore } from '../../src/redis/revisions.ts';
import type { ConfigsRevision } from '../../src/sessions/session.ts';
import type { JsonObject } from '../../src/structs/json.ts';
import { mergePatch } from '../../src/structs/merge.ts';
import { forAllAsync } from '../property.ts';
import { anyObject, smallObject, tameObject } from '../structs/arbitrary.ts';

function revisionsOf(...configs: (JsonObject | undefined)[]): ConfigsRevision[] {
  return configs.map((value, at) => ({
    revision: at + 1,
    ...(value && { configs: value }),
    operation: at === 0 ? 'CREATE' : value ? 'UPDATE' : 'DELETE',
    principal: at % 2 ? 'somebody' : '',
    requestId: `request ${at}`,
    createTime: 1_000 + at,
  }));
}

function entryOf(outgoing: ConfigsRevision, next: ConfigsRevision): string {
  return revisionEntry(outgoing, mergePatch(outgoing, next));
}

/** The log when the last of them is the current one. */
function logOf(revisions: ConfigsRevision[]): Map<number, string> {
  return new Map(
    revisions.slice(0, -1).map((each, at) => [each.revision, entryOf(each, revisions[at + 1]!)]),
  );
}

describe('the log of revisions', () => {
  it('gives back every revision as it was, whatever came after it', () => {
    const any = fc.oneof(fc.constant(undefined), anyObject, smallObject, {
      arbitrary: tameObject,
      weight: 3,
    });
    return forAllAsync(
      [fc.array(any, { minLength: 1, maxLength: 8 })],
      async (configs) => {
        const revisions = revisionsOf(...configs);
        deepStrictEqual(await revisionsBefore(revisions.at(-1)!, logOf(revisions)), revisions.slice(0, -1));
      },
      200,
    );
  });

  it('takes little for a little change of large configs', () => {
    const large = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`key ${at}`, at]));
    const [first, second, third] = revisionsOf(
      large,
      { ...large, 'key 7': 0.5 },
      { ...large, 'key 7': null },
    );
    expect(entryOf(first!, second!).length).toBeLessThan(200);
    // A patch cannot write a null.
    expect(entryOf(second!, third!).length).toBeGreaterThan(10_000);
  });

  it('is read from the revision that is asked about, though there are later ones', async () => {
    const revisions = revisionsOf({ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 });
    expect(await revisionsBefore(revisions[2]!, logOf(revisions))).toEqual(revisions.slice(0, 2));
  });

  it('ends where it is no longer kept', async () => {
    const revisions = revisionsOf({ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 });
    const log = logOf(revisions);
    log.delete(2);
    expect(await revisionsBefore(revisions[3]!, log)).toEqual([revisions[2]]);
  });

  it('keeps the last hundred, the current one among them, however many Redis still has', async () => {
    const revisions = revisionsOf(...Array.from({ length: 150 }, (_, a) => ({ a })));
    expect(await revisionsBefore(revisions.at(-1)!, logOf(revisions))).toEqual(revisions.slice(-100, -1));
  });

  it('of an older version has its revisions whole, and as text where JSON would not do', async () => {
    const [first, second, third] = revisionsOf({ a: 0.1 }, { a: 7.996062797706731e-241 }, {});
    const log = new Map([
      [1, JSON.stringify(first)],
      [2, JSON.stringify({ ...second, configs: { a: 0 }, exact: JSON.stringify(second) })],
    ]);
    expect(await revisionsBefore(third!, log)).toEqual([first, second]);
  });

  it('is read without keeping others waiting', async () => {
    const large = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`key ${at}`, at]));
    const revisions = revisionsOf(...Array.from({ length: 100 }, (_, at) => ({ ...large, 'key 7': at })));
    const reading = revisionsBefore(revisions.at(-1)!, logOf(revisions));
    let turns = 0;
    for (const over = reading.then(() => true); !(await Promise.race([over, setImmediate(false)])); ) turns++;
    expect(turns).toBeGreaterThan(3); // none, if it went on without a break
    expect(await reading).toHaveLength(99);
  });
});
