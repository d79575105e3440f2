import { describe, expect, it } from 'vitest';
import { ConfigsOperation } from '../../gen/parley/v1/configs_service_pb.ts';
import { ContextOverflow, type Session, TtlPolicy } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';

const parley = useParley();

async function created(
  session: Parameters<typeof parley.sessions.createSession>[0]['session'] = {},
): Promise<Session> {
  return (await parley.sessions.createSession({ session })).session!;
}

const EVERYTHING = {
  displayName: 'name',
  situation: 'here',
  renderTemplates: true,
  metadata: { m: 1 },
  configs: { c: 1 },
  data: { d: 1 },
  contextOverflow: ContextOverflow.TRUNCATE,
  tokenBudget: 77,
  ttl: { seconds: 3600n },
  ttlPolicy: TtlPolicy.SLIDING,
} as const;
const PATHS = [
  'display_name',
  'situation',
  'render_templates',
  'metadata',
  'configs',
  'data',
  'context_overflow',
  'token_budget',
  'ttl',
  'ttl_policy',
];

describe('without a mask', () => {
  it('changes the fields that are set, and no other', async () => {
    const { sessionId } = await created(EVERYTHING);
    const { session } = await parley.sessions.updateSession({
      sessionId,
      session: { displayName: 'new', tokenBudget: 5 },
    });
    expect(session).toMatchObject({ ...EVERYTHING, displayName: 'new', tokenBudget: 5, ttl: { nanos: 0 } });
    expect((await parley.sessions.getSession({ sessionId })).session).toEqual(session);
  });

  it('a session read and sent back changes nothing at all', async () => {
    const session = await created({ ...EVERYTHING, userId: 'ann', agentId: 'bot' });
    await parley.sessions.unbindParticipant({ sessionId: session.sessionId, participantId: 'ann' });
    const read = (await parley.sessions.getSession({ sessionId: session.sessionId })).session!;
    const sent = await parley.sessions.updateSession({
      sessionId: read.sessionId,
      session: read,
      etag: read.etag,
    });
    expect(sent.session).toEqual(read);
  });

  it('a session read, edited and sent back has the edit, its ids and participants left alone', async () => {
    const read = await created({ ...EVERYTHING, userId: 'ann' });
    const edited = {
      ...read,
      situation: 'there',
      userId: 'eve',
      participants: [],
      namespace: 'x',
      sessionId: 'x',
    };
    const { session } = await parley.sessions.updateSession({ sessionId: read.sessionId, session: edited });
    expect(session).toEqual({ ...read, situation: 'there', ...moved(session!) });
    expect(session!.etag).not.toBe(read.etag);
  });

  it('and without a session nothing changes', async () => {
    const session = await created(EVERYTHING);
    expect((await parley.sessions.updateSession({ sessionId: session.sessionId })).session).toEqual(session);
  });

  it('an empty mask is no mask', async () => {
    const { sessionId } = await created(EVERYTHING);
    const session = { situation: 'there' };
    const updated = await parley.sessions.updateSession({ sessionId, session, updateMask: { paths: [] } });
    expect(updated.session).toMatchObject({ situation: 'there', displayName: 'name' });
  });
});

describe('with a mask', () => {
  it.each(PATHS)('%s alone is changed', async (path) => {
    const before = await created();
    const { sessionId } = before;
    const updated = await parley.sessions.updateSession({
      sessionId,
      session: EVERYTHING,
      updateMask: { paths: [path] },
    });
    const expected = await created(EVERYTHING);
    const name = localName(path);
    expect(updated.session).toEqual({ ...before, [name]: expected[name], ...moved(updated.session!) });
  });

  it.each(PATHS)('%s is cleared when it is absent from the session', async (path) => {
    const { sessionId } = await created(EVERYTHING);
    const updated = await parley.sessions.updateSession({ sessionId, updateMask: { paths: [path] } });
    expect(updated.session![localName(path)]).toEqual((await created())[localName(path)]);
  });

  it('* replaces everything a caller can set, and clears what is not given', async () => {
    const session = await created({ ...EVERYTHING, userId: 'ann' });
    const { sessionId } = session;
    const updateMask = { paths: ['*'] };
    const updated = await parley.sessions.updateSession({
      sessionId,
      session: { situation: 'all there is' },
      updateMask,
    });
    expect(updated.session).toMatchObject({
      displayName: '',
      situation: 'all there is',
      renderTemplates: false,
      metadata: {},
      data: {},
      contextOverflow: ContextOverflow.ADAPTIVE,
      tokenBudget: 0,
      ttlPolicy: TtlPolicy.FIXED,
      userId: 'ann',
      configsRevision: 2,
    });
    expect([updated.session!.configs, updated.session!.ttl]).toEqual([undefined, undefined]);
  });

  it('the ids in the session must be the request’s', async () => {
    const { sessionId } = await created();
    const updateMask = { paths: ['situation'] };
    const foreign = parley.sessions.updateSession({ sessionId, session: { sessionId: 'other' }, updateMask });
    expect(await refusal(foreign)).toBe('INVALID_ARGUMENT FIELD_INVALID session.session_id');
    await parley.sessions.updateSession({
      sessionId,
      session: { sessionId, namespace: 'default' },
      updateMask,
    });
  });
});

describe('configs in an update', () => {
  it('replace the old ones whole, as a revision', async () => {
    const { sessionId } = await created(EVERYTHING);
    const { session } = await parley.sessions.updateSession({
      sessionId,
      session: { configs: { other: null } },
      updateMask: { paths: ['configs', 'display_name'] },
    });
    expect(session).toMatchObject({ configs: { other: null }, configsRevision: 2, displayName: '' });
    const { revisions } = await parley.configs.listConfigsRevisions({ sessionId });
    expect(revisions[0]).toMatchObject({
      revision: 2,
      configs: { other: null },
      operation: ConfigsOperation.UPDATE,
    });
  });

  it('masked but absent are unset, as a revision', async () => {
    const { sessionId } = await created(EVERYTHING);
    const { session } = await parley.sessions.updateSession({
      sessionId,
      updateMask: { paths: ['configs'] },
    });
    expect(session!.configs).toBeUndefined();
    const { revisions } = await parley.configs.listConfigsRevisions({ sessionId });
    expect(revisions[0]).toMatchObject({ revision: 2, operation: ConfigsOperation.DELETE });
  });

  it('that equal the old ones make no revision though another field changes', async () => {
    const { sessionId, etag } = await created(EVERYTHING);
    const session = { configs: { c: 1 }, situation: 'moved' };
    const updated = await parley.sessions.updateSession({ sessionId, session });
    expect(updated.session).toMatchObject({ configsRevision: 1, situation: 'moved' });
    expect(updated.session!.etag).not.toBe(etag);
  });
});

describe('an update of', () => {
  it('an absent session is NOT_FOUND', async () => {
    const call = parley.sessions.updateSession({ sessionId: newId(), session: { situation: 'x' } });
    expect(await refusal(call)).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });

  it('many callers at once loses none of their keys', async () => {
    const { sessionId } = await created();
    const keys = Array.from({ length: 32 }, (_, index) => `k${index}`);
    await Promise.all(
      keys.map((key) =>
        parley.sessions.updateSession({ sessionId, metadataPatch: { [key]: true }, dataPatch: { [key]: 1 } }),
      ),
    );
    const { session } = await parley.sessions.getSession({ sessionId });
    expect(Object.keys(session!.metadata!).sort()).toEqual(keys.toSorted());
    expect(Object.keys(session!.data!).sort()).toEqual(keys.toSorted());
  });
});

function localName(path: string): keyof Session {
  return path.replace(/_(.)/g, (_, letter) => letter.toUpperCase()) as keyof Session;
}

/** What follows from a change whatever is changed. */
function moved({ etag, updateTime, expireTime, configsRevision }: Session): Partial<Session> {
  return { etag, updateTime, configsRevision, ...(expireTime && { expireTime }) };
}
