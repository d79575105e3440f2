import { describe, expect, it } from 'vitest';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { failure, refusal, resource, summary } from '../refusal.ts';

const parley = useParley();
const participant = { participantId: 'p', kind: ParticipantKind.USER };
type Ask = { namespace: string; sessionId: string };

describe('a session of another namespace answers exactly as an absent one', () => {
  it.each<[string, (ask: Ask) => Promise<unknown>]>([
    ['GetSession', (ask) => parley.sessions.getSession({ ...ask, includeDeleted: true })],
    ['UpdateSession', (ask) => parley.sessions.updateSession({ ...ask, etag: 'x' })],
    ['DeleteSession', (ask) => parley.sessions.deleteSession({ ...ask, permanent: true })],
    ['UndeleteSession', (ask) => parley.sessions.undeleteSession(ask)],
    ['BindParticipant', (ask) => parley.sessions.bindParticipant({ ...ask, participant })],
    ['UnbindParticipant', (ask) => parley.sessions.unbindParticipant({ ...ask, participantId: 'p' })],
    ['ListParticipants', (ask) => parley.sessions.listParticipants(ask)],
    ['GetConfigs', (ask) => parley.configs.getConfigs(ask)],
    ['UpdateConfigs', (ask) => parley.configs.updateConfigs({ ...ask, configs: {} })],
    ['PatchConfigs', (ask) => parley.configs.patchConfigs({ ...ask, configs: { a: 1 } })],
    ['DeleteConfigs', (ask) => parley.configs.deleteConfigs(ask)],
    ['RollbackConfigs', (ask) => parley.configs.rollbackConfigs({ ...ask, revision: 1 })],
    ['ListConfigsRevisions', (ask) => parley.configs.listConfigsRevisions(ask)],
    ['WatchConfigs', async (ask) => Array.fromAsync(parley.configs.watchConfigs(ask))],
    ['TruncateSession', (ask) => parley.sessions.truncateSession(ask)],
    ['ForkSession', (ask) => parley.sessions.forkSession(ask)],
    ['AppendTurns', (ask) => parley.chat.appendTurns({ ...ask, messages: [{ content: 'x' }] })],
    ['ListTurns', (ask) => parley.chat.listTurns(ask)],
    ['FollowTurns', async (ask) => Array.fromAsync(parley.chat.followTurns(ask))],
    ['ClearHistory', (ask) => parley.chat.clearHistory(ask)],
    ['RewindHistory', (ask) => parley.chat.rewindHistory({ ...ask, toSeq: 1 })],
  ])('to %s', async (_, call) => {
    const sessionId = newId();
    const theirs = { namespace: 'theirs', sessionId };
    const session = { configs: { a: 1 }, userId: 'p' };
    await parley.sessions.createSession({ ...theirs, session });
    await parley.chat.appendTurns({ ...theirs, messages: [{ content: 'a' }, { content: 'b' }] });
    const { session: before } = await parley.sessions.getSession(theirs);
    const foreign = await failure(call({ namespace: 'mine', sessionId }));
    const absent = await failure(call({ namespace: 'nobodys', sessionId }));
    expect(summary(foreign)).toBe('NOT_FOUND SESSION_NOT_FOUND');
    expect([foreign.rawMessage, summary(foreign), resource(foreign)]).toEqual([
      absent.rawMessage,
      summary(absent),
      resource(absent),
    ]);
    expect((await parley.sessions.getSession(theirs)).session).toEqual(before);
  });

  it('to BatchGetSessions and CreateSession', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ namespace: 'theirs', sessionId });
    const found = await parley.sessions.batchGetSessions({ namespace: 'mine', sessionIds: [sessionId] });
    expect(found).toMatchObject({ sessions: [], missingSessionIds: [sessionId] });
    expect((await parley.sessions.createSession({ namespace: 'mine', sessionId })).created).toBe(true);
  });
});

describe('a list never leaves its namespace', () => {
  const HOSTILE = [
    'x} | @ns:{theirs}',
    '*',
    '"] | *',
    '@tokens:{*}',
    '}) | (@createTime:[-inf +inf]',
    '$.tokens[*]',
    'theirs/any',
    '\\} \\| \\*',
    '\u0000',
    '',
  ];

  it.each(HOSTILE)('by a filter for %j, which is a value like any other', async (value) => {
    const [mine, theirs] = [newId(), newId()];
    const session = { metadata: { k: value, [value]: 'k' }, configs: { [value]: [value] } };
    await parley.sessions.createSession({ namespace: theirs, sessionId: 'secret', session });
    await parley.sessions.createSession({
      namespace: mine,
      sessionId: 'other',
      session: { configs: { a: value } },
    });
    const filters = [
      { metadataFilter: { k: value } },
      { metadataFilter: { [value]: 'k' } },
      { filterByConfigs: { [value]: [value] } },
    ];
    for (const filter of filters) {
      const ids = async (namespace: string) =>
        (await parley.sessions.listSessions({ namespace, ...filter })).sessions.map(
          ({ sessionId }) => sessionId,
        );
      expect(await ids(mine)).toEqual([]);
      expect(await ids(theirs)).toEqual(['secret']);
      await parley.sessions.createSession({ namespace: mine, sessionId: 'own', session });
      expect(await ids(mine)).toEqual(['own']);
      await parley.sessions.deleteSession({ namespace: mine, sessionId: 'own', permanent: true });
    }
  });

  it.each(HOSTILE.filter(Boolean))('nor by %j where an id belongs', async (value) => {
    for (const field of ['userId', 'agentId'] as const) {
      const call = parley.sessions.listSessions({ [field]: value });
      expect(await refusal(call)).toMatch(/^INVALID_ARGUMENT FIELD_INVALID (user|agent)_id$/);
    }
    for (const call of [
      parley.sessions.getSession({ sessionId: value }),
      parley.sessions.createSession({ sessionId: value }),
    ])
      expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID session_id');
    expect(await refusal(parley.sessions.listSessions({ namespace: value }))).toBe(
      'INVALID_ARGUMENT FIELD_INVALID namespace',
    );
  });

  it('by a page token of another namespace', async () => {
    const [mine, theirs] = [newId(), newId()];
    for (const namespace of [mine, mine, theirs, theirs]) await parley.sessions.createSession({ namespace });
    const { nextPageToken } = await parley.sessions.listSessions({ namespace: theirs, pageSize: 1 });
    const call = parley.sessions.listSessions({ namespace: mine, pageToken: nextPageToken });
    expect(await refusal(call)).toBe('INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token');
  });
});
