import { expect, it, vi } from 'vitest';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';

const parley = useParley({ PARLEY_DELETED_RETENTION: '300ms' });

it('a deleted session is purged by itself after PARLEY_DELETED_RETENTION, and its id is free', async () => {
  const sessionId = newId();
  await parley.sessions.createSession({ sessionId, session: { configs: { a: 1 } } });
  await parley.sessions.deleteSession({ sessionId });
  await parley.sessions.getSession({ sessionId, includeDeleted: true });
  const gone = () => refusal(parley.sessions.getSession({ sessionId, includeDeleted: true }));
  await vi.waitFor(async () => expect(await gone()).toBe('NOT_FOUND SESSION_NOT_FOUND'), { timeout: 5000 });
  expect((await parley.sessions.createSession({ sessionId })).session!.configsRevision).toBe(0);
});

it('an undeleted session outlives the retention', async () => {
  const [kept, witness] = [newId(), newId()];
  for (const sessionId of [kept, witness]) await parley.sessions.createSession({ sessionId });
  await parley.sessions.deleteSession({ sessionId: kept });
  await parley.sessions.undeleteSession({ sessionId: kept });
  await parley.sessions.deleteSession({ sessionId: witness });
  const purged = () => refusal(parley.sessions.getSession({ sessionId: witness, includeDeleted: true }));
  await vi.waitFor(async () => expect(await purged()).toMatch('SESSION_NOT_FOUND'), { timeout: 5000 });
  await parley.sessions.getSession({ sessionId: kept });
});
