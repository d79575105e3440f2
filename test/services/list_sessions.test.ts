import { beforeAll, describe, expect, it } from 'vitest';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';

const parley = useParley();
const namespace = newId();
type Ask = Omit<Parameters<typeof parley.sessions.listSessions>[0], '$typeName'>;

/** Ids in the order of creation. */
const SESSIONS = {
  a: { userId: 'ann', agentId: 'bot', metadata: { team: 'red' }, configs: { model: 'echo', n: 1 } },
  b: { userId: 'ann', agentId: 'tim', metadata: { team: 'blue' }, configs: { model: 'echo' } },
  c: { userId: 'ben', agentId: 'bot', metadata: { team: 'red' } },
  d: { userId: 'ann', agentId: 'bot', metadata: { team: 'red', x: {} }, configs: {} },
  e: { userId: 'bot', agentId: 'ann' },
};

beforeAll(async () => {
  for (const [sessionId, session] of Object.entries(SESSIONS))
    await parley.sessions.createSession({ namespace, sessionId, session });
  await parley.sessions.createSession({ namespace, sessionId: 'gone', session: SESSIONS.a });
  await parley.sessions.deleteSession({ namespace, sessionId: 'gone' });
  await parley.sessions.createSession({ namespace: newId(), sessionId: 'foreign', session: SESSIONS.a });
});

async function ids(ask: Ask): Promise<string> {
  const { sessions } = await parley.sessions.listSessions({ namespace, ...ask });
  return sessions.map(({ sessionId }) => sessionId).join(' ');
}

describe('a list', () => {
  it('holds the live sessions of the namespace, newest first', async () => {
    expect(await ids({})).toBe('e d c b a');
  });

  it('holds deleted ones when asked', async () => {
    expect(await ids({ includeDeleted: true })).toBe('gone e d c b a');
  });

  it('gives each session as GetSession does', async () => {
    const { sessions } = await parley.sessions.listSessions({ namespace });
    for (const session of sessions)
      expect((await parley.sessions.getSession({ namespace, sessionId: session.sessionId })).session).toEqual(
        session,
      );
  });

  it('of an unknown namespace is empty', async () => {
    const answer = await parley.sessions.listSessions({ namespace: newId() });
    expect(answer).toMatchObject({ sessions: [], nextPageToken: '' });
  });
});

describe('a filter', () => {
  it.each<[string, Ask, string]>([
    ['user', { userId: 'ann' }, 'd b a'],
    ['agent', { agentId: 'bot' }, 'd c a'],
    ['user and agent', { userId: 'ann', agentId: 'bot' }, 'd a'],
    ['nobody', { userId: 'nobody' }, ''],
    ['metadata', { metadataFilter: { team: 'red' } }, 'd c a'],
    ['empty metadata filter', { metadataFilter: {} }, 'e d c b a'],
    ['configs', { filterByConfigs: { model: 'echo' } }, 'b a'],
    ['configs, two keys', { filterByConfigs: { n: 1, model: 'echo' } }, 'a'],
    ['configs that are set at all', { filterByConfigs: {} }, 'd b a'],
    ['configs that nobody has', { filterByConfigs: { model: 'ECHO' } }, ''],
    [
      'all together',
      {
        userId: 'ann',
        agentId: 'bot',
        metadataFilter: { team: 'red' },
        filterByConfigs: { model: 'echo' },
        includeDeleted: true,
      },
      'gone a',
    ],
    [
      'all together, in order',
      { userId: 'ann', metadataFilter: {}, filterByConfigs: {}, orderBy: 'create_time asc' },
      'a b d',
    ],
  ])('by %s', async (_, ask, expected) => {
    expect(await ids(ask)).toBe(expected);
  });

  it('by participant finds any bound one, and none that was unbound', async () => {
    const own = newId();
    const ask = { namespace: own, sessionId: 's' };
    await parley.sessions.createSession({ ...ask, session: { userId: 'first' } });
    const second = { participantId: 'second', kind: ParticipantKind.USER };
    await parley.sessions.bindParticipant({ ...ask, participant: second });
    const found = async (userId: string) =>
      (await parley.sessions.listSessions({ namespace: own, userId })).sessions.length;
    expect([await found('first'), await found('second')]).toEqual([1, 1]);
    await parley.sessions.unbindParticipant({ ...ask, participantId: 'second' });
    expect(await found('second')).toBe(0);
    await parley.sessions.bindParticipant({ ...ask, participant: second });
    expect(await found('second')).toBe(1);
  });

  it('sees a change as soon as it is acknowledged', async () => {
    const own = newId();
    const ask = { namespace: own, sessionId: 's' };
    const count = async (filterByConfigs: { v: number }) =>
      (await parley.sessions.listSessions({ namespace: own, filterByConfigs })).sessions.length;
    await parley.sessions.createSession({ ...ask, session: { configs: { v: 0 } } });
    for (const v of [1, 2, 3]) {
      await parley.configs.patchConfigs({ ...ask, configs: { v } });
      expect([await count({ v: v - 1 }), await count({ v })]).toEqual([0, 1]);
    }
    await parley.configs.deleteConfigs(ask);
    expect(await count({ v: 3 })).toBe(0);
  });
});

describe('the order', () => {
  it.each([
    ['', 'e d c b a'],
    ['create_time', 'e d c b a'],
    ['create_time desc', 'e d c b a'],
    ['create_time asc', 'a b c d e'],
    [' create_time  asc ', 'a b c d e'],
  ])('%j', async (orderBy, expected) => {
    expect(await ids({ orderBy })).toBe(expected);
  });

  it.each([
    ['update_time', 'two three one'],
    ['update_time desc', 'two three one'],
    ['update_time asc', 'one three two'],
  ])('%s follows the last change', async (orderBy, expected) => {
    const own = newId();
    for (const sessionId of ['one', 'two', 'three'])
      await parley.sessions.createSession({ namespace: own, sessionId });
    await parley.sessions.updateSession({ namespace: own, sessionId: 'two', dataPatch: { a: 1 } });
    const { sessions } = await parley.sessions.listSessions({ namespace: own, orderBy });
    expect(sessions.map(({ sessionId }) => sessionId).join(' ')).toBe(expected);
  });

  it.each([
    'name',
    'create_time down',
    'create_time,update_time',
    'createTime',
    'create_time desc asc',
    'x'.repeat(65),
  ])('%j is refused', async (orderBy) => {
    const call = parley.sessions.listSessions({ namespace, orderBy });
    expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID order_by');
  });
});
