import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { Configs } from '../../src/configs/configs.ts';
import { RedisDoorbell } from '../../src/redis/doorbell.ts';
import type { RedisSessions } from '../../src/redis/sessions.ts';
import type { SessionKey } from '../../src/sessions/session.ts';
import { Sessions } from '../../src/sessions/sessions.ts';
import type { JsonObject } from '../../src/structs/json.ts';
import { TemplateRenderer } from '../../src/templates/renderer.ts';
import { logOver, storeOver, useRedis } from '../redis_fixture.ts';
import { aCaller, anInput } from '../session_fixture.ts';

const redis = useRedis();
let store: RedisSessions;
let sessions: Sessions;
let configs: Configs;
beforeAll(() => {
  store = storeOver(redis.connection, redis.keys);
  const doorbell = new RedisDoorbell(redis.connection, redis.keys);
  sessions = new Sessions(store, logOver(redis.connection, redis.keys), 60_000, new TemplateRenderer(), {
    end: async () => {},
  });
  configs = new Configs(store, doorbell);
});

/** A session with these configs; undefined leaves them unset. */
async function sessionWith(initial: JsonObject | undefined): Promise<SessionKey> {
  const key = { namespace: 'default', sessionId: randomUUID() };
  await sessions.create(key, anInput({ configs: initial }), false, aCaller());
  return key;
}

const patch = (key: SessionKey, change: JsonObject, mode: 'SHALLOW' | 'DEEP' = 'SHALLOW', etag = '') =>
  configs.patch(key, change, mode, etag, aCaller());

async function reasonOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'none',
    ({ code, reason }) => `${code} ${reason}`,
  );
}

describe('a shallow patch of configs', () => {
  it.each<[string, JsonObject | undefined, JsonObject, JsonObject | undefined, number]>([
    ['sets a key and keeps the others', { a: 1, b: 2 }, { a: 3 }, { a: 3, b: 2 }, 2],
    ['adds a key', { a: 1 }, { b: 2 }, { a: 1, b: 2 }, 2],
    ['deletes a key by null', { a: 1, b: 2 }, { a: null }, { b: 2 }, 2],
    ['does nothing about an absent key and null', { a: 1 }, { b: null }, { a: 1 }, 1],
    ['replaces a nested object whole', { a: { x: 1, y: 2 } }, { a: { x: 3 } }, { a: { x: 3 } }, 2],
    ['replaces an array whole', { a: [1, 2] }, { a: [3] }, { a: [3] }, 2],
    ['stores a nested null', { a: { x: 1 } }, { a: { x: null } }, { a: { x: null } }, 2],
    ['stores a null in an array', {}, { a: [null] }, { a: [null] }, 2],
    ['changes nothing by {}', { a: 1 }, {}, { a: 1 }, 1],
    ['changes nothing by what is there', { a: { x: [1] } }, { a: { x: [1] } }, { a: { x: [1] } }, 1],
    ['starts from {} on unset configs', undefined, { a: 1, b: null }, { a: 1 }, 1],
    ['leaves unset configs unset by {}', undefined, {}, undefined, 0],
    ['leaves unset configs unset by nothing but nulls', undefined, { a: null, b: null }, undefined, 0],
    ['leaves {} when the last key goes', { a: 1 }, { a: null }, {}, 2],
    ['leaves {} as {} by nulls', {}, { a: null }, {}, 1],
  ])('%s', async (_, before, change, after, revision) => {
    const key = await sessionWith(before);
    const first = await configs.get(key);
    const result = await patch(key, change);
    expect(result.configs).toStrictEqual(after);
    expect(result.revision).toBe(revision);
    expect(result).toEqual(await configs.get(key));
    // The etag moves with the revision, and only with it.
    expect(result.etag === first.etag).toBe(result.revision === first.revision);
  });
});

describe('a deep patch of configs', () => {
  it.each<[JsonObject | undefined, JsonObject, JsonObject | undefined]>([
    [{ a: { x: 1, y: 2 } }, { a: { x: null, z: 3 } }, { a: { y: 2, z: 3 } }],
    [{ a: [1, 2] }, { a: { x: 1 } }, { a: { x: 1 } }],
    [undefined, { a: { x: null } }, { a: {} }],
    [undefined, { a: null }, undefined],
  ])('makes of %j with %j %j', async (before, change, after) => {
    const key = await sessionWith(before);
    expect((await patch(key, change, 'DEEP')).configs).toStrictEqual(after);
  });
});

describe('configs', () => {
  it('are replaced whole, emptied by {} and unset by a delete, each a revision', async () => {
    const key = await sessionWith({ a: 1, b: { c: null } });
    const replace = (value: JsonObject) => configs.replace(key, value, '', aCaller());
    expect(await replace({ b: { d: null } })).toMatchObject({ configs: { b: { d: null } }, revision: 2 });
    expect(await replace({})).toMatchObject({ configs: {}, revision: 3 });
    expect(await replace({})).toMatchObject({ revision: 3 });
    const unset = await configs.delete(key, '', aCaller());
    expect(unset).toEqual({ etag: unset.etag, revision: 4 });
    expect(await configs.delete(key, '', aCaller())).toEqual(unset);
  });

  it('are changed under their own etag, whatever else of the session changed', async () => {
    const key = await sessionWith({ a: 1 });
    const { etag } = await configs.get(key);
    await sessions.update(
      key,
      { fields: { displayName: 'new' }, metadataPatch: undefined, dataPatch: undefined, etag: '' },
      aCaller(),
    );
    const next = await patch(key, { a: 2 }, 'SHALLOW', etag);
    expect(next.revision).toBe(2);
    for (const stale of [etag, 'nonsense', `${next.etag}x`]) {
      expect(await reasonOf(patch(key, { a: 3 }, 'SHALLOW', stale))).toBe('ABORTED ETAG_MISMATCH');
      expect(await reasonOf(patch(key, {}, 'SHALLOW', stale))).toBe('ABORTED ETAG_MISMATCH');
      expect(await reasonOf(configs.delete(key, stale, aCaller()))).toBe('ABORTED ETAG_MISMATCH');
    }
    expect((await configs.get(key)).configs).toEqual({ a: 2 });
  });

  it("change the session's etag too", async () => {
    const key = await sessionWith({ a: 1 });
    const before = await store.read(key);
    await patch(key, { a: 2 });
    expect((await store.read(key))?.etag).not.toBe(before?.etag);
  });

  it('lose none of sixteen patches at once', async () => {
    const key = await sessionWith(undefined);
    const numbers = Array.from({ length: 16 }, (_, at) => at);
    await Promise.all(numbers.map((at) => patch(key, { [`key-${at}`]: at })));
    const { configs: all, revision } = await configs.get(key);
    expect(all).toEqual(Object.fromEntries(numbers.map((at) => [`key-${at}`, at])));
    expect(revision).toBe(16);
  });

  it('may not outgrow 64 KiB by patches', async () => {
    const key = await sessionWith({ a: 'x'.repeat(40_000) });
    expect(await reasonOf(patch(key, { b: 'x'.repeat(40_000) }))).toBe('INVALID_ARGUMENT FIELD_INVALID');
    expect((await configs.get(key)).revision).toBe(1);
  });

  it('cannot be read or written of a session that is absent or deleted', async () => {
    const absent = { namespace: 'default', sessionId: randomUUID() };
    const deleted = await sessionWith({ a: 1 });
    await sessions.delete(deleted, { permanent: false, allowMissing: false, etag: '' }, aCaller());
    expect(await reasonOf(configs.get(absent))).toBe('NOT_FOUND SESSION_NOT_FOUND');
    expect(await reasonOf(patch(absent, { a: 1 }))).toBe('NOT_FOUND SESSION_NOT_FOUND');
    expect(await reasonOf(configs.get(deleted))).toBe('NOT_FOUND SESSION_DELETED');
    expect(await reasonOf(patch(deleted, {}))).toBe('FAILED_PRECONDITION SESSION_DELETED');
    expect(await reasonOf(configs.revisions(deleted, undefined))).toBe('NOT_FOUND SESSION_DELETED');
    expect(await reasonOf(configs.rollback(deleted, 1, '', aCaller()))).toBe(
      'FAILED_PRECONDITION SESSION_DELETED',
    );
  });
});

describe('the revisions of configs', () => {
  it('tell who changed what, the newest first', async () => {
    const key = await sessionWith({ a: 1 });
    await configs.patch(key, { a: 2 }, 'SHALLOW', '', { ...aCaller('r-1'), principal: 'ann' });
    await configs.delete(key, '', aCaller());
    const all = await configs.revisions(key, undefined);
    expect(all).toMatchObject([
      { revision: 3, operation: 'DELETE', principal: '', requestId: '' },
      { revision: 2, operation: 'PATCH', principal: 'ann', requestId: 'r-1', configs: { a: 2 } },
      { revision: 1, operation: 'CREATE', configs: { a: 1 } },
    ]);
    expect(all[0]).not.toHaveProperty('configs');
    expect((await configs.revisions(key, 3)).map(({ revision }) => revision)).toEqual([2, 1]);
    expect(await configs.revisions(key, 1)).toEqual([]);
  });

  it('come back by a rollback, which is a revision of its own', async () => {
    const key = await sessionWith({ a: 1 });
    await patch(key, { a: 2 });
    await configs.delete(key, '', aCaller());
    const back = (revision: number) => configs.rollback(key, revision, '', aCaller());
    expect(await back(1)).toMatchObject({ configs: { a: 1 }, revision: 4 });
    expect((await back(3)).configs).toBeUndefined();
    expect(await back(5)).toMatchObject({ revision: 5 });
    expect((await configs.revisions(key, undefined))[0]).toMatchObject({
      revision: 5,
      operation: 'ROLLBACK',
    });
    expect(await reasonOf(back(6))).toBe('NOT_FOUND REVISION_NOT_FOUND');
  });

  it('are not those of an earlier session of the same id', async () => {
    const key = await sessionWith({ old: true });
    await patch(key, { old: 1 });
    await sessions.delete(key, { permanent: true, allowMissing: false, etag: '' }, aCaller());
    await sessions.create(key, anInput({ configs: { young: true } }), false, aCaller());
    expect(await configs.revisions(key, undefined)).toMatchObject([
      { revision: 1, configs: { young: true } },
    ]);
    expect(await reasonOf(configs.rollback(key, 2, '', aCaller()))).toBe('NOT_FOUND REVISION_NOT_FOUND');
  });
});
