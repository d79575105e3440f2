import { describe, expect, it } from 'vitest';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';

const parley = useParley();

async function created(): Promise<string> {
  const session = { metadata: { keep: 1, drop: 2, nested: { a: 1, b: 2 } }, data: { state: 'old' } };
  return (await parley.sessions.createSession({ session })).session!.sessionId;
}

describe('metadata_patch and data_patch', () => {
  it('merge top-level keys: null deletes, anything else replaces whole', async () => {
    const sessionId = await created();
    const { session } = await parley.sessions.updateSession({
      sessionId,
      metadataPatch: { drop: null, absent: null, nested: { c: null }, added: [] },
      dataPatch: { state: null },
    });
    expect(session!.metadata).toEqual({ keep: 1, nested: { c: null }, added: [] });
    expect(session!.data).toEqual({});
  });

  it('that change nothing keep the etag', async () => {
    const sessionId = await created();
    const before = await parley.sessions.getSession({ sessionId });
    const patch = { sessionId, metadataPatch: { keep: 1, absent: null }, dataPatch: {} };
    expect((await parley.sessions.updateSession(patch)).session).toEqual(before.session);
  });

  it('go with a mask or fields that are about something else', async () => {
    const sessionId = await created();
    const { session } = await parley.sessions.updateSession({
      sessionId,
      session: { displayName: 'x', data: { state: 'new' } },
      updateMask: { paths: ['display_name', 'data'] },
      metadataPatch: { keep: 2 },
    });
    expect(session).toMatchObject({
      displayName: 'x',
      data: { state: 'new' },
      metadata: { keep: 2, drop: 2 },
    });
    const unmasked = { sessionId, session: { displayName: 'y' }, dataPatch: { more: true } };
    expect((await parley.sessions.updateSession(unmasked)).session).toMatchObject({
      displayName: 'y',
      data: { state: 'new', more: true },
    });
  });

  it.each([
    ['metadata', { metadataPatch: {} }],
    ['data', { dataPatch: { a: 1 } }],
  ])('of %s cannot go with a mask that names it, nor with *', async (path, patch) => {
    const sessionId = await created();
    for (const paths of [[path], ['display_name', path], ['*']]) {
      const call = parley.sessions.updateSession({ sessionId, updateMask: { paths }, ...patch });
      expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID update_mask');
    }
  });

  it.each([
    ['metadata_patch', { session: { metadata: { b: 1 } }, metadataPatch: { a: 1 } }],
    ['data_patch', { session: { data: { b: 1 } }, dataPatch: { a: 1 } }],
  ])('never swallow another value that is sent beside them: %s', async (field, update) => {
    const sessionId = await created();
    const before = await parley.sessions.getSession({ sessionId });
    const call = parley.sessions.updateSession({ sessionId, ...update });
    expect(await refusal(call)).toBe(`INVALID_ARGUMENT FIELD_INVALID ${field}`);
    expect(await parley.sessions.getSession({ sessionId })).toEqual(before);
  });

  it('are refused when the merge would outgrow 64 KiB, and change nothing', async () => {
    const sessionId = await created();
    const half = 'x'.repeat(40_000);
    await parley.sessions.updateSession({
      sessionId,
      metadataPatch: { one: half },
      dataPatch: { one: half },
    });
    const before = await parley.sessions.getSession({ sessionId });
    for (const [field, patch] of [
      ['metadata', { metadataPatch: { two: half } }],
      ['data', { dataPatch: { two: half } }],
    ] as const) {
      const call = parley.sessions.updateSession({ sessionId, session: { displayName: 'x' }, ...patch });
      expect(await refusal(call)).toBe(`INVALID_ARGUMENT FIELD_INVALID ${field}`);
    }
    expect(await parley.sessions.getSession({ sessionId })).toEqual(before);
    await parley.sessions.updateSession({ sessionId, metadataPatch: { one: null, two: half } });
  });
});

describe('a mask', () => {
  it.each([
    ['namespace', 'keeps its namespace'],
    ['session_id', 'ForkSession'],
    ['user_id', 'BindParticipant'],
    ['agent_id', 'BindParticipant'],
    ['participants', 'UnbindParticipant'],
    ['summary', 'output only'],
    ['last_turn_seq', 'output only'],
    ['configs_revision', 'output only'],
    ['forked_from', 'output only'],
    ['create_time', 'output only'],
    ['etag', 'output only'],
    ['metadata.team', 'metadata_patch'],
    ['configs.model', 'PatchConfigs'],
    ['participants.settings', 'patch'],
    ['displayName', 'no field'],
    ['nothing', 'no field'],
    ['', 'no field'],
    ['__proto__', 'no field'],
    ['constructor', 'no field'],
  ])('that names %j is refused and says what to do: %s', async (path, hint) => {
    const sessionId = await created();
    const before = await parley.sessions.getSession({ sessionId });
    const call = parley.sessions.updateSession({
      sessionId,
      session: { situation: 'x' },
      updateMask: { paths: ['situation', path] },
    });
    await expect(call).rejects.toThrow(hint);
    expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID update_mask.paths[1]');
    expect(await parley.sessions.getSession({ sessionId })).toEqual(before);
  });

  it('is looked at before the session is', async () => {
    const call = parley.sessions.updateSession({ sessionId: newId(), updateMask: { paths: ['nothing'] } });
    expect(await refusal(call)).toMatch('update_mask.paths[0]');
  });
});
