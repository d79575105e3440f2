import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId, type Parley, startParley, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { MUTATIONS, type Mutation, sessionFor } from './mutations.ts';

const parley = useParley();

/** What a second run of a mutation would change, read past every deletion. */
async function fingerprint(sessionId: string): Promise<unknown> {
  const found = await parley.sessions.batchGetSessions({ sessionIds: [sessionId], includeDeleted: true });
  return found.sessions[0] ?? 'absent';
}

/** The same as a call of each method, CreateSession included, which needs no session before. */
const CREATE: Mutation = {
  name: 'CreateSession',
  prepare: ({ sessions }, sessionId) => sessions.deleteSession({ sessionId, permanent: true }),
  call: async ({ sessions }, { sessionId, requestId = '', other }) => {
    const session = { displayName: other ? 'b' : 'a', metadata: { z: 1, a: { y: [], b: null } } };
    return JSON.stringify(await sessions.createSession({ sessionId, requestId, session }), (_, value) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  },
};

describe.each([CREATE, ...MUTATIONS].map((mutation) => [mutation.name, mutation] as const))(
  '%s',
  (_, mutation) => {
    it('repeated under its request_id answers byte for byte the same and does nothing', async () => {
      const sessionId = newId();
      const requestId = newId();
      await sessionFor(parley, sessionId, mutation);
      const first = await mutation.call(parley, { sessionId, requestId });
      const after = await fingerprint(sessionId);
      expect(await mutation.call(parley, { sessionId, requestId })).toBe(first);
      expect(await fingerprint(sessionId)).toEqual(after);
    });

    it('answers a retry as at first though others changed the session since', async () => {
      const sessionId = newId();
      const requestId = newId();
      await sessionFor(parley, sessionId, mutation);
      const first = await mutation.call(parley, { sessionId, requestId });
      await parley.sessions.createSession({ sessionId, allowExisting: true }).catch(() => {}); // purged, or deleted
      await parley.sessions.undeleteSession({ sessionId }).catch(() => {});
      await parley.sessions.updateSession({ sessionId, session: { displayName: 'somebody else' } });
      expect(await mutation.call(parley, { sessionId, requestId })).toBe(first);
      const { session } = await parley.sessions.getSession({ sessionId });
      expect(session!.displayName).toBe('somebody else');
    });

    it('happens once when many send it at once', async () => {
      const sessionId = newId();
      const requestId = newId();
      await sessionFor(parley, sessionId, mutation);
      const calls = Array.from({ length: 8 }, () => mutation.call(parley, { sessionId, requestId }));
      expect(new Set(await Promise.all(calls)).size).toBe(1);
    });

    describe('over two servers', () => {
      let second: Parley;
      beforeAll(async () => {
        second = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
      });
      afterAll(() => second.stop());

      it('happens once, and the other server answers the retry', async () => {
        const sessionId = newId();
        const requestId = newId();
        await sessionFor(parley, sessionId, mutation);
        const servers = [parley, second, parley, second];
        const answers = await Promise.all(
          servers.map((server) => mutation.call(server, { sessionId, requestId })),
        );
        answers.push(await mutation.call(second, { sessionId, requestId }));
        expect(new Set(answers).size).toBe(1);
      });
    });
  },
);

describe.each(
  [CREATE, ...MUTATIONS]
    .filter(({ alwaysSame }) => !alwaysSame)
    .map((mutation) => [mutation.name, mutation] as const),
)('%s', (_, mutation) => {
  it('is refused when another request comes under the same request_id', async () => {
    const sessionId = newId();
    const requestId = newId();
    await sessionFor(parley, sessionId, mutation);
    await mutation.call(parley, { sessionId, requestId });
    const after = await fingerprint(sessionId);
    const other = mutation.call(parley, { sessionId, requestId, other: true });
    expect(await refusal(other)).toBe('INVALID_ARGUMENT REQUEST_ID_REUSED');
    expect(await fingerprint(sessionId)).toEqual(after);
  });
});
