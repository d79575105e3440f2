import { describe, expect, it } from 'vitest';
import { newId, useParley } from '../harness.ts';
import { failure, refusal, resource, summary } from '../refusal.ts';

const parley = useParley();

async function created(): Promise<string> {
  const { session } = await parley.sessions.createSession({});
  return session!.sessionId;
}

async function deleted(): Promise<string> {
  const sessionId = await created();
  await parley.sessions.deleteSession({ sessionId });
  return sessionId;
}

describe('GetSession', () => {
  it('says which session there is not', async () => {
    const sessionId = newId();
    const error = await failure(parley.sessions.getSession({ sessionId }));
    expect(summary(error)).toBe('NOT_FOUND SESSION_NOT_FOUND');
    expect(resource(error)).toBe(`parley.v1.Session ${sessionId}`);
  });

  it('shows a deleted session only to those who ask for deleted ones', async () => {
    const sessionId = await deleted();
    expect(await refusal(parley.sessions.getSession({ sessionId }))).toBe('NOT_FOUND SESSION_DELETED');
    const { session } = await parley.sessions.getSession({ sessionId, includeDeleted: true });
    expect(session!.deleteTime).toBeDefined();
  });

  it('finds no absent session by asking for deleted ones', async () => {
    const call = parley.sessions.getSession({ sessionId: newId(), includeDeleted: true });
    expect(await refusal(call)).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });

  it('takes the empty namespace for default', async () => {
    const sessionId = await created();
    const { session } = await parley.sessions.getSession({ namespace: 'default', sessionId });
    expect(session!.namespace).toBe('default');
  });
});

describe('BatchGetSessions', () => {
  it('answers in the order asked for, each id once, and says what is missing', async () => {
    const [one, two, gone, absent] = [await created(), await created(), await deleted(), newId()];
    const sessionIds = [two, absent, one, gone, two, absent];
    const found = await parley.sessions.batchGetSessions({ sessionIds });
    expect(found.sessions.map(({ sessionId }) => sessionId)).toEqual([two, one]);
    expect(found.missingSessionIds).toEqual([absent, gone]);
    const withDeleted = await parley.sessions.batchGetSessions({ sessionIds, includeDeleted: true });
    expect(withDeleted.sessions.map(({ sessionId }) => sessionId)).toEqual([two, one, gone]);
    expect(withDeleted.missingSessionIds).toEqual([absent]);
  });

  it('gives each session as GetSession does', async () => {
    const { session } = await parley.sessions.createSession({
      session: { configs: { a: [1] }, userId: 'u' },
    });
    const found = await parley.sessions.batchGetSessions({ sessionIds: [session!.sessionId] });
    expect(found.sessions).toEqual([session]);
  });

  it('takes a thousand ids, and refuses none and more', async () => {
    const ids = Array.from({ length: 1001 }, newId);
    const { missingSessionIds } = await parley.sessions.batchGetSessions({ sessionIds: ids.slice(1) });
    expect(missingSessionIds).toEqual(ids.slice(1));
    for (const sessionIds of [[], ids])
      expect(await refusal(parley.sessions.batchGetSessions({ sessionIds }))).toBe(
        'INVALID_ARGUMENT FIELD_INVALID session_ids',
      );
  });

  it('names the malformed id among good ones', async () => {
    const call = parley.sessions.batchGetSessions({ sessionIds: [newId(), '{*}'] });
    expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID session_ids[1]');
  });
});
