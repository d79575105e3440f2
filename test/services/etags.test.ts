import { describe, expect, it } from 'vitest';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { MUTATIONS, type Mutation, sessionFor } from './mutations.ts';

const parley = useParley();

async function sessionEtag(sessionId: string): Promise<string> {
  const found = await parley.sessions.batchGetSessions({ sessionIds: [sessionId], includeDeleted: true });
  return found.sessions[0]!.etag;
}

async function configsEtag(sessionId: string): Promise<string> {
  return (await parley.configs.getConfigs({ sessionId })).etag;
}

const isOfConfigs = ({ name }: Mutation) => name.includes('Configs');
const currentEtag = (mutation: Mutation) => (isOfConfigs(mutation) ? configsEtag : sessionEtag);
const cases = MUTATIONS.filter(({ etagless }) => !etagless).map(
  (mutation) => [mutation.name, mutation] as const,
);

describe.each(cases)('%s', (_, mutation) => {
  it('with a stale etag is ABORTED and changes nothing', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId, session: { configs: { revision: 'zero' } } });
    const stale = await currentEtag(mutation)(sessionId);
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    await sessionFor(parley, sessionId, mutation);
    const before = await sessionEtag(sessionId);
    for (const etag of [stale, 'x', `${before}x`])
      expect(await refusal(mutation.call(parley, { sessionId, etag }))).toBe('ABORTED ETAG_MISMATCH');
    expect(await sessionEtag(sessionId)).toBe(before);
  });

  it('with the current etag succeeds', async () => {
    const sessionId = newId();
    await sessionFor(parley, sessionId, mutation);
    const etag = await currentEtag(mutation)(sessionId);
    expect(await mutation.call(parley, { sessionId, etag })).not.toBe('');
  });
});

describe('the etag of a session', () => {
  it('changes with each field a caller can set, configs and participants included', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId });
    const seen = new Set([await sessionEtag(sessionId)]);
    const participant = { participantId: 'p', kind: ParticipantKind.USER };
    const changes: (() => Promise<unknown>)[] = [
      () => parley.sessions.updateSession({ sessionId, session: { displayName: 'x' } }),
      () => parley.sessions.updateSession({ sessionId, session: { situation: 'x' } }),
      () => parley.sessions.updateSession({ sessionId, session: { tokenBudget: 1 } }),
      () => parley.sessions.updateSession({ sessionId, session: { ttl: { seconds: 99n } } }),
      () => parley.sessions.updateSession({ sessionId, metadataPatch: { a: 1 } }),
      () => parley.sessions.updateSession({ sessionId, dataPatch: { a: 1 } }),
      () => parley.configs.patchConfigs({ sessionId, configs: { a: 1 } }),
      () => parley.configs.deleteConfigs({ sessionId }),
      () => parley.sessions.bindParticipant({ sessionId, participant }),
      () => parley.sessions.unbindParticipant({ sessionId, participantId: 'p' }),
      () => parley.sessions.truncateSession({ sessionId }),
      () => parley.sessions.deleteSession({ sessionId }),
      () => parley.sessions.undeleteSession({ sessionId }),
    ];
    for (const change of changes) {
      await change();
      seen.add(await sessionEtag(sessionId));
    }
    expect(seen.size).toBe(changes.length + 1);
  });

  it('stays when nothing changes', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({
      sessionId,
      session: { displayName: 'x', configs: { a: 1 }, userId: 'u' },
    });
    const before = await parley.sessions.getSession({ sessionId });
    await parley.sessions.updateSession({
      sessionId,
      session: { displayName: 'x' },
      dataPatch: { absent: null },
    });
    await parley.configs.updateConfigs({ sessionId, configs: { a: 1 } });
    await parley.sessions.bindParticipant({
      sessionId,
      participant: { participantId: 'u', kind: ParticipantKind.USER },
    });
    expect(await parley.sessions.getSession({ sessionId })).toEqual(before);
  });

  it('lets one of two who read the same win, and the other know', async () => {
    const sessionId = newId();
    const { etag } = (await parley.sessions.createSession({ sessionId })).session!;
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const outcomes = await Promise.allSettled(
      names.map((displayName) =>
        parley.sessions.updateSession({ sessionId, etag, session: { displayName } }),
      ),
    );
    const won = outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' ? [outcome.value.session] : [],
    );
    expect(won).toHaveLength(1);
    expect((await parley.sessions.getSession({ sessionId })).session).toEqual(won[0]);
  });
});

describe('the etag of configs', () => {
  it('changes with their revision only', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId, session: { configs: { a: 1 } } });
    const first = await configsEtag(sessionId);
    await parley.sessions.updateSession({ sessionId, session: { displayName: 'x' }, dataPatch: { a: 1 } });
    await parley.configs.patchConfigs({ sessionId, configs: {} });
    expect(await configsEtag(sessionId)).toBe(first);
    await parley.configs.patchConfigs({ sessionId, configs: { a: 2 } });
    expect(await configsEtag(sessionId)).not.toBe(first);
    await parley.configs.patchConfigs({ sessionId, configs: { a: 1 } });
    expect(await configsEtag(sessionId)).not.toBe(first);
  });

  it('is not the session’s: neither stands in for the other', async () => {
    const sessionId = newId();
    const { etag } = (await parley.sessions.createSession({ sessionId })).session!;
    const patch = parley.configs.patchConfigs({ sessionId, etag, configs: { a: 1 } });
    expect(await refusal(patch)).toBe('ABORTED ETAG_MISMATCH');
    const update = parley.sessions.updateSession({ sessionId, etag: await configsEtag(sessionId) });
    expect(await refusal(update)).toBe('ABORTED ETAG_MISMATCH');
  });
});
