import { describe, expect, it } from 'vitest';
import { Keys } from '../../src/redis/keys.ts';

const keys = new Keys('parley');
const session = { namespace: 'tenant-1', sessionId: 'A.b_c:d@e-f' };

describe('the keys of a session', () => {
  it('share a hash tag, so that a cluster keeps them together', () => {
    const all = [
      keys.session(session),
      keys.revisions(session),
      keys.operations(session),
      keys.live(session),
    ];
    expect(all).toEqual([
      'parley:session:{tenant-1/A.b_c:d@e-f}',
      'parley:revisions:{tenant-1/A.b_c:d@e-f}',
      'parley:ops:{tenant-1/A.b_c:d@e-f}',
      'parley:live:{tenant-1/A.b_c:d@e-f}',
    ]);
  });

  it('lead back to the session', () => {
    expect(keys.sessionOf(keys.session(session))).toEqual(session);
  });

  it('are told from those of another prefix by what the index covers', () => {
    expect(keys.session(session).startsWith(keys.sessionPrefix)).toBe(true);
    expect(new Keys('parley2').session(session).startsWith(keys.sessionPrefix)).toBe(false);
    expect(keys.sessionIndex.startsWith(keys.sessionPrefix)).toBe(false);
  });
});
