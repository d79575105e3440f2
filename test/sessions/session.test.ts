import { describe, expect, it } from 'vitest';
import { configsEtag, endTime, expireTime } from '../../src/sessions/session.ts';
import { aSession } from '../session_fixture.ts';

const times = { createTime: 1_000_000, updateTime: 5_000_000 };

describe('the end of a session', () => {
  it('does not come without a time to live', () => {
    expect(expireTime(aSession(times))).toBeUndefined();
    expect(expireTime(aSession({ ...times, ttlPolicy: 'SLIDING' }))).toBeUndefined();
    expect(endTime(aSession(times))).toBeUndefined();
  });

  it('is counted from its creation, or from the last write, in milliseconds', () => {
    expect(expireTime(aSession({ ...times, ttl: 10, ttlPolicy: 'FIXED' }))).toBe(1_010_000);
    expect(expireTime(aSession({ ...times, ttl: 10, ttlPolicy: 'SLIDING' }))).toBe(5_010_000);
  });

  it('is its purge or its expiry, whichever comes first', () => {
    const deleted = { ...times, deleteTime: 1, purgeTime: 2_000_000 };
    expect(endTime(aSession(deleted))).toBe(2_000_000);
    expect(endTime(aSession({ ...deleted, ttl: 10 }))).toBe(1_010_000);
    expect(endTime(aSession({ ...deleted, ttl: 10_000 }))).toBe(2_000_000);
    expect(endTime(aSession({ ...times, ttl: 10 }))).toBe(1_010_000);
  });

  it('is exact a hundred years on', () => {
    const createTime = 1_800_000_000_000_001;
    expect(expireTime(aSession({ createTime, ttl: 3_153_600_000_000 }))).toBe(4_953_600_000_000_001);
  });
});

describe("the configs' etag", () => {
  const configs = { revision: 3, principal: '', requestId: '', createTime: 1 };

  it('changes with the revision only', () => {
    const session = aSession({ configs });
    expect(configsEtag({ ...session, displayName: 'x', updateTime: 9, etag: 'other' })).toBe(
      configsEtag(session),
    );
    expect(configsEtag({ ...session, configs: { ...configs, revision: 4 } })).not.toBe(configsEtag(session));
  });

  it('differs for another session of the same id', () => {
    const session = aSession({ configs });
    expect(configsEtag({ ...session, createTime: session.createTime + 1 })).not.toBe(configsEtag(session));
  });
});
