import type { JsonObject } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { PatchMode } from '../../gen/parley/v1/configs_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';

const parley = useParley();

async function created(configs?: JsonObject): Promise<string> {
  const { session } = await parley.sessions.createSession({ session: { ...(configs && { configs }) } });
  return session!.sessionId;
}

async function state(sessionId: string) {
  const { configs, revision } = await parley.configs.getConfigs({ sessionId });
  return [revision, configs];
}

describe('GetConfigs', () => {
  it('of a session created without configs says unset, revision 0', async () => {
    expect(await state(await created())).toEqual([0, undefined]);
  });

  it('of a session created with empty configs says {}, revision 1', async () => {
    expect(await state(await created({}))).toEqual([1, {}]);
  });

  it('gives the etag the last write gave', async () => {
    const sessionId = await created({ a: 1 });
    const { etag } = await parley.configs.patchConfigs({ sessionId, configs: { b: 2 } });
    expect((await parley.configs.getConfigs({ sessionId })).etag).toBe(etag);
  });

  it('of an absent session is NOT_FOUND', async () => {
    expect(await refusal(parley.configs.getConfigs({ sessionId: newId() }))).toBe(
      'NOT_FOUND SESSION_NOT_FOUND',
    );
  });
});

describe('UpdateConfigs', () => {
  it('replaces the whole: missing keys are gone, nulls are stored', async () => {
    const sessionId = await created({ a: 1, b: 2 });
    const answer = await parley.configs.updateConfigs({ sessionId, configs: { b: null, c: { d: null } } });
    expect(answer).toMatchObject({ configs: { b: null, c: { d: null } }, revision: 2 });
    expect(await state(sessionId)).toEqual([2, { b: null, c: { d: null } }]);
  });

  it('with {} empties, which is not unset', async () => {
    const sessionId = await created({ a: 1 });
    await parley.configs.updateConfigs({ sessionId, configs: {} });
    expect(await state(sessionId)).toEqual([2, {}]);
  });

  it('sets what was unset', async () => {
    const sessionId = await created();
    await parley.configs.updateConfigs({ sessionId, configs: {} });
    expect(await state(sessionId)).toEqual([1, {}]);
  });

  it('without configs is refused', async () => {
    const sessionId = await created({ a: 1 });
    expect(await refusal(parley.configs.updateConfigs({ sessionId }))).toBe(
      'INVALID_ARGUMENT FIELD_INVALID configs',
    );
    expect(await state(sessionId)).toEqual([1, { a: 1 }]);
  });

  it('with what is there already makes no revision, whatever the order of keys', async () => {
    const sessionId = await created({ a: 1, b: { c: 2, d: [1, 2] } });
    const before = await parley.configs.getConfigs({ sessionId });
    await parley.configs.updateConfigs({ sessionId, configs: { b: { d: [1, 2], c: 2 }, a: 1 } });
    expect(await parley.configs.getConfigs({ sessionId })).toEqual(before);
    await parley.configs.updateConfigs({ sessionId, configs: { a: 1, b: { c: 2, d: [2, 1] } } });
    expect((await parley.configs.getConfigs({ sessionId })).revision).toBe(2);
  });
});

describe('PatchConfigs', () => {
  it.each<[string, JsonObject | undefined, JsonObject, JsonObject | undefined, number]>([
    ['null deletes', { a: 1, b: 2 }, { a: null }, { b: 2 }, 2],
    ['null of an absent key is nothing', { b: 2 }, { a: null }, { b: 2 }, 1],
    ['an object replaces the old one whole', { a: { x: 1, y: 2 } }, { a: { z: 3 } }, { a: { z: 3 } }, 2],
    ['an array replaces the old one whole', { a: [1, 2, 3] }, { a: [4] }, { a: [4] }, 2],
    ['a nested null is stored', { a: 1 }, { a: { b: null }, c: [null] }, { a: { b: null }, c: [null] }, 2],
    ['{} changes nothing', { a: 1 }, {}, { a: 1 }, 1],
    ['what is there already changes nothing', { a: { b: 1 } }, { a: { b: 1 } }, { a: { b: 1 } }, 1],
    ['unset starts from {}', undefined, { a: 1, b: null }, { a: 1 }, 1],
    ['unset stays unset by {}', undefined, {}, undefined, 0],
    ['unset stays unset by nulls alone', undefined, { a: null, b: null }, undefined, 0],
    ['the last key gone leaves {}', { a: 1 }, { a: null }, {}, 2],
    ['{} stays {}', {}, { a: null }, {}, 1],
  ])('%s', async (_, before, patch, after, revision) => {
    const sessionId = await created(before);
    const answer = await parley.configs.patchConfigs({ sessionId, configs: patch });
    expect([answer.revision, answer.configs]).toEqual([revision, after]);
    expect(await state(sessionId)).toEqual([revision, after]);
  });

  it('without a patch changes nothing', async () => {
    const sessionId = await created({ a: 1 });
    expect(await parley.configs.patchConfigs({ sessionId })).toMatchObject({
      configs: { a: 1 },
      revision: 1,
    });
  });

  /** The table of RFC 7396, appendix A, as far as its documents are objects, and some more. */
  it.each<[JsonObject | undefined, JsonObject, JsonObject | undefined]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{ a: 1 }, { a: { b: null, c: 2 } }, { a: { c: 2 } }],
    [{ a: { b: { c: 1, d: 2 } } }, { a: { b: { c: null }, e: [null] } }, { a: { b: { d: 2 }, e: [null] } }],
    [undefined, { a: { b: null } }, { a: {} }],
    [undefined, { a: null }, undefined],
  ])('DEEP: %j with %j makes %j', async (before, patch, after) => {
    const sessionId = await created(before);
    const answer = await parley.configs.patchConfigs({ sessionId, configs: patch, mode: PatchMode.DEEP });
    expect(answer.configs).toEqual(after);
    expect((await parley.configs.getConfigs({ sessionId })).configs).toEqual(after);
  });

  it('is SHALLOW by default, and refuses a mode there is not', async () => {
    const sessionId = await created({ a: { x: 1 } });
    const shallow = { sessionId, configs: { a: { y: 2 } }, mode: PatchMode.SHALLOW };
    expect((await parley.configs.patchConfigs(shallow)).configs).toEqual({ a: { y: 2 } });
    const call = parley.configs.patchConfigs({ sessionId, mode: 7 as PatchMode });
    expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID mode');
  });

  it('is refused when the whole would outgrow 64 KiB, however small the patch', async () => {
    const sessionId = await created({ big: 'x'.repeat(65_000) });
    for (const mode of [PatchMode.SHALLOW, PatchMode.DEEP]) {
      const call = parley.configs.patchConfigs({ sessionId, configs: { more: 'x'.repeat(600) }, mode });
      expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID configs');
    }
    expect((await state(sessionId))[0]).toBe(1);
  });

  it('by sixteen callers at once loses nothing, and counts each change once', async () => {
    const sessionId = await created();
    const caller = async (name: number) => {
      for (let n = 0; n < 10; n++)
        await parley.configs.patchConfigs({ sessionId, configs: { [`${name}-${n}`]: n } });
    };
    await Promise.all(Array.from({ length: 16 }, (_, name) => caller(name)));
    const { configs, revision } = await parley.configs.getConfigs({ sessionId });
    expect([Object.keys(configs!).length, revision]).toEqual([160, 160]);
  });
});

describe('DeleteConfigs', () => {
  it('takes them back to unset, as a revision', async () => {
    const sessionId = await created({ a: 1 });
    expect(await parley.configs.deleteConfigs({ sessionId })).toMatchObject({ revision: 2 });
    expect(await state(sessionId)).toEqual([2, undefined]);
  });

  it('of unset configs changes nothing', async () => {
    const sessionId = await created();
    const before = await parley.configs.getConfigs({ sessionId });
    const { etag, revision } = await parley.configs.deleteConfigs({ sessionId });
    expect([etag, revision]).toEqual([before.etag, 0]);
  });
});
