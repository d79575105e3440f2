import { describe, expect, it } from 'vitest';
import { ParleyError } from '../../src/errors.ts';
import {
  changed,
  checkEtag,
  checkStructSize,
  newEtag,
  readable,
  withConfigs,
  writable,
} from '../../src/sessions/changes.ts';
import { now } from '../../src/sessions/clock.ts';
import { structSize } from '../../src/structs/wire.ts';
import { aSession } from '../session_fixture.ts';

const author = { principal: 'somebody', requestId: 'request' };

/** Code and reason of a refusal. */
function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof ParleyError) return `${error.code} ${error.reason}`;
  }
  return 'none';
}

describe('who may read and write a session', () => {
  const session = aSession();
  const deleted = aSession({ deleteTime: 1, purgeTime: 2 });

  it.each([
    ['readable', (of: typeof session | undefined) => readable(of, session), 'NOT_FOUND SESSION_DELETED'],
    [
      'writable',
      (of: typeof session | undefined) => writable(of, session, ''),
      'FAILED_PRECONDITION SESSION_DELETED',
    ],
  ])('%s: one that is there and not deleted', (_, check, whenDeleted) => {
    expect(check(session)).toBe(session);
    expect(refusal(() => check(undefined))).toBe('NOT_FOUND SESSION_NOT_FOUND');
    expect(refusal(() => check(deleted))).toBe(whenDeleted);
  });

  it('is asked for the etag only when there is one', () => {
    expect(writable(session, session, session.etag)).toBe(session);
    expect(refusal(() => writable(session, session, 'stale'))).toBe('ABORTED ETAG_MISMATCH');
    expect(refusal(() => checkEtag(session, ''))).toBe('none');
    // That it is deleted matters more than an etag.
    expect(refusal(() => writable(deleted, deleted, 'stale'))).toBe('FAILED_PRECONDITION SESSION_DELETED');
  });
});

describe('a change', () => {
  it('sets fields under a new etag and a later update time', () => {
    const session = aSession();
    const next = changed(session, { displayName: 'new' });
    expect(next).toEqual({ ...session, displayName: 'new', etag: next.etag, updateTime: next.updateTime });
    expect(next.etag).not.toBe(session.etag);
    expect(next.updateTime).toBeGreaterThan(session.updateTime);
  });

  it('that changes nothing gives the very same session', () => {
    const session = aSession({ metadata: { a: 1, b: [{}] }, ttl: 5 });
    expect(changed(session, {})).toBe(session);
    expect(changed(session, { metadata: { b: [{}], a: 1 }, ttl: 5, displayName: '' })).toBe(session);
    expect(changed(session, { deleteTime: undefined })).toBe(session);
  });

  it('takes a field given as undefined away', () => {
    expect(changed(aSession({ ttl: 5 }), { ttl: undefined })).not.toHaveProperty('ttl');
  });

  it('tells zero from negative zero, and null from nothing', () => {
    const session = aSession({ data: { a: 0 } });
    expect(changed(session, { data: { a: -0 } })).not.toBe(session);
    expect(changed(session, { data: { a: 0, b: null } })).not.toBe(session);
  });

  it('moves the update time forward even behind a clock that is ahead', () => {
    const updateTime = now() + 3_600_000_000;
    expect(changed(aSession({ updateTime }), { displayName: 'x' }).updateTime).toBe(updateTime + 1);
  });
});

describe('other configs', () => {
  it('are a new revision with its author, under one time', () => {
    const next = withConfigs(aSession(), { a: 1 }, 'PATCH', author);
    expect(next.configs).toEqual({
      revision: 1,
      configs: { a: 1 },
      operation: 'PATCH',
      ...author,
      createTime: next.updateTime,
    });
    const unset = withConfigs(next, undefined, 'DELETE', author);
    expect(unset.configs).toMatchObject({ revision: 2, operation: 'DELETE' });
    expect(unset.configs).not.toHaveProperty('configs');
    expect(unset.etag).not.toBe(next.etag);
  });

  it('that are what is there change nothing', () => {
    const session = aSession();
    expect(withConfigs(session, undefined, 'DELETE', author)).toBe(session);
    const next = withConfigs(session, { a: 1, b: 2 }, 'UPDATE', author);
    expect(withConfigs(next, { b: 2, a: 1 }, 'UPDATE', author)).toBe(next);
  });

  it('tell empty from unset', () => {
    const session = aSession();
    const empty = withConfigs(session, {}, 'UPDATE', author);
    expect(empty.configs).toMatchObject({ revision: 1, configs: {} });
    expect(withConfigs(empty, undefined, 'DELETE', author).configs.revision).toBe(2);
  });

  it('may be 64 KiB and not a byte more', () => {
    const fill = (size: number) => ({ a: 'x'.repeat(size - structSize({ a: 'x'.repeat(60_000) }) + 60_000) });
    expect(structSize(fill(65_536))).toBe(65_536);
    expect(withConfigs(aSession(), fill(65_536), 'PATCH', author).configs.revision).toBe(1);
    expect(() => withConfigs(aSession(), fill(65_537), 'PATCH', author)).toThrow(
      'configs: larger than 65536 bytes',
    );
    expect(() => checkStructSize('metadata', fill(65_537))).toThrow('metadata: larger than 65536 bytes');
  });
});

it('an etag never comes twice', () => {
  const etags = Array.from({ length: 10_000 }, newEtag);
  expect(new Set(etags).size).toBe(etags.length);
  for (const etag of etags) expect(etag).toMatch(/^[\w-]{12}$/);
});
