import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { PatchConfigsRequestSchema } from '../../gen/parley/v1/configs_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { frame, rawCall, rawStatus } from '../rpc/wire.ts';
import { keysOf } from './keys_of.ts';

const parley = useParley();

describe('a request_id', () => {
  it('counts for one session and one method', async () => {
    const requestId = newId();
    const [one, two] = [newId(), newId()];
    for (const sessionId of [one, two]) {
      await parley.sessions.createSession({ sessionId, requestId });
      await parley.configs.patchConfigs({ sessionId, requestId, configs: { of: sessionId } });
      await parley.configs.updateConfigs({ sessionId, requestId, configs: { whole: sessionId } });
      const { configs, revision } = await parley.configs.getConfigs({ sessionId });
      expect({ configs, revision }).toEqual({ configs: { whole: sessionId }, revision: 2 });
    }
  });

  it('of two namespaces is two', async () => {
    const ask = { sessionId: newId(), requestId: newId() };
    await parley.sessions.createSession({ ...ask, namespace: 'one' });
    const { created } = await parley.sessions.createSession({ ...ask, namespace: 'two' });
    expect(created).toBe(true);
  });

  it('may be any printable ASCII up to 128 characters', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId });
    for (const requestId of ['x', ' ', '~ PatchConfigs:{}*', 'r'.repeat(128)]) {
      const ask = { sessionId, requestId, configs: { [requestId]: true } };
      expect(await parley.configs.patchConfigs(ask)).toEqual(await parley.configs.patchConfigs(ask));
    }
    expect((await parley.configs.getConfigs({ sessionId })).revision).toBe(4);
  });

  it.each(['r'.repeat(129), 'tab\t', 'é'])('that is something else is refused: %s', async (requestId) => {
    const call = parley.sessions.createSession({ requestId });
    expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID request_id');
  });

  it('that failed may be used again, for anything', async () => {
    const ask = { sessionId: newId(), requestId: newId() };
    expect(await refusal(parley.configs.patchConfigs({ ...ask, configs: { a: 1 } }))).toMatch(
      'SESSION_NOT_FOUND',
    );
    await parley.sessions.createSession({ sessionId: ask.sessionId });
    expect(await refusal(parley.configs.patchConfigs({ ...ask, configs: { a: 1 }, etag: 'old' }))).toMatch(
      'ETAG_MISMATCH',
    );
    expect((await parley.configs.patchConfigs({ ...ask, configs: { b: 2 } })).configs).toEqual({ b: 2 });
  });

  it('of a call that changed nothing is remembered too', async () => {
    const ask = { sessionId: newId(), requestId: newId(), configs: {} };
    await parley.sessions.createSession({ sessionId: ask.sessionId });
    const first = await parley.configs.patchConfigs(ask);
    await parley.configs.updateConfigs({ sessionId: ask.sessionId, configs: { a: 1 } });
    expect(await parley.configs.patchConfigs(ask)).toEqual(first);
  });

  it('answers before the etag is looked at, which the first call made stale', async () => {
    const sessionId = newId();
    const { session } = await parley.sessions.createSession({ sessionId });
    const ask = { sessionId, requestId: newId(), etag: session!.etag, session: { displayName: 'x' } };
    const first = await parley.sessions.updateSession(ask);
    expect(await parley.sessions.updateSession(ask)).toEqual(first);
  });

  it('stands in the revision it made', async () => {
    const ask = { sessionId: newId(), requestId: newId() };
    await parley.sessions.createSession({ ...ask, session: { configs: {} } });
    await parley.configs.patchConfigs({ ...ask, requestId: 'patch', configs: { a: 1 } });
    const { revisions } = await parley.configs.listConfigsRevisions({ sessionId: ask.sessionId });
    expect(revisions.map(({ requestId }) => requestId)).toEqual(['patch', ask.requestId]);
  });
});

describe('a permanent delete', () => {
  it('can be repeated, and forgets every other answer', async () => {
    const sessionId = newId();
    const ask = { sessionId, requestId: newId() };
    await parley.sessions.createSession({ ...ask, session: { displayName: 'old' } });
    const purged = await parley.sessions.deleteSession({ ...ask, permanent: true });
    expect(await parley.sessions.deleteSession({ ...ask, permanent: true })).toEqual(purged);
    const anew = await parley.sessions.createSession({ ...ask, session: { displayName: 'new' } });
    expect(anew).toMatchObject({ created: true, session: { displayName: 'new' } });
    expect(await parley.sessions.deleteSession({ ...ask, permanent: true })).toEqual(purged);
    expect((await parley.sessions.getSession({ sessionId })).session).toEqual(anew.session);
  });

  it('of nothing, allowed, is remembered: a session made since stays', async () => {
    const ask = { sessionId: newId(), requestId: newId(), permanent: true, allowMissing: true };
    expect((await parley.sessions.deleteSession(ask)).session).toBeUndefined();
    await parley.sessions.createSession({ sessionId: ask.sessionId });
    expect((await parley.sessions.deleteSession(ask)).session).toBeUndefined();
    await parley.sessions.getSession({ sessionId: ask.sessionId });
  });

  it('leaves nothing in Redis', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId, requestId: 'a', session: { configs: { a: 1 } } });
    await parley.configs.patchConfigs({ sessionId, requestId: 'b', configs: { b: 1 } });
    expect(await keysOf(parley, sessionId)).not.toEqual([]);
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    expect(await keysOf(parley, sessionId)).toEqual([]);
  });
});

describe('the same request', () => {
  it('is the same whatever the order of keys in its Structs', async () => {
    const ask = { sessionId: newId(), requestId: newId() };
    await parley.sessions.createSession({ sessionId: ask.sessionId });
    const first = await parley.configs.patchConfigs({ ...ask, configs: { a: 1, b: { c: 2, d: [3] } } });
    const turned = await parley.configs.patchConfigs({ ...ask, configs: { b: { d: [3], c: 2 }, a: 1 } });
    expect(turned).toEqual(first);
  });

  it('is the same with fields this version does not know', async () => {
    const ask = { sessionId: newId(), requestId: newId(), configs: { a: 1 } };
    await parley.sessions.createSession({ sessionId: ask.sessionId });
    await parley.configs.patchConfigs(ask);
    const known = toBinary(PatchConfigsRequestSchema, create(PatchConfigsRequestSchema, ask));
    const unknown = Buffer.from([0x9a, 0x06, 0x01, 0x78]); // field 99, one byte
    const body = frame(Buffer.concat([known, unknown]));
    expect(await rawStatus(rawCall(parley.port, '/parley.v1.ConfigsService/PatchConfigs', body))).toBe(0);
  });

  it('is another one with a null where a key was absent, or a list in another order', async () => {
    for (const [one, other] of [
      [{ a: 1 }, { a: 1, b: null }],
      [{ a: [1, 2] }, { a: [2, 1] }],
      [{ a: 1 }, { a: '1' }],
    ]) {
      const ask = { sessionId: newId(), requestId: newId() };
      await parley.sessions.createSession({ sessionId: ask.sessionId });
      await parley.configs.patchConfigs({ ...ask, configs: one! });
      const call = parley.configs.patchConfigs({ ...ask, configs: other! });
      expect(await refusal(call)).toBe('INVALID_ARGUMENT REQUEST_ID_REUSED');
    }
  });

  it('may name odd things: a mask that is refused, and times no calendar has', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId });
    const masked = { sessionId, requestId: newId(), updateMask: { paths: ['displayName', 'a__b'] } };
    expect(await refusal(parley.sessions.updateSession(masked))).toBe(
      'INVALID_ARGUMENT FIELD_INVALID update_mask.paths[0]',
    );
    const createTime = { seconds: 2n ** 60n, nanos: -7 };
    const timed = { sessionId, requestId: newId(), session: { displayName: 'x', createTime } };
    const first = await parley.sessions.updateSession(timed);
    expect(await parley.sessions.updateSession(timed)).toEqual(first);
  });
});

describe('a permanent delete that is repeated', () => {
  it('never purges whoever has the id next, however often the id went round', async () => {
    const sessionId = newId();
    const [first, second] = [newId(), newId()];
    for (const requestId of [first, second]) {
      await parley.sessions.createSession({ sessionId });
      await parley.sessions.deleteSession({ sessionId, permanent: true, requestId });
    }
    const { session } = await parley.sessions.createSession({ sessionId });
    const answers = [first, second].map((requestId) =>
      parley.sessions.deleteSession({ sessionId, permanent: true, requestId }),
    );
    for (const { session: deleted } of await Promise.all(answers))
      expect(deleted!.etag).not.toBe(session!.etag);
    expect((await parley.sessions.getSession({ sessionId })).session!.etag).toBe(session!.etag);
  });
});
