import { beforeAll, describe, expect, it } from 'vitest';
import { ConfigsOperation } from '../../gen/parley/v1/configs_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { failure, refusal, resource, summary } from '../refusal.ts';

const parley = useParley();
const { CREATE, DELETE, PATCH, ROLLBACK, UPDATE } = ConfigsOperation;

/** A session whose configs went through every operation: revision 1 to 5. */
async function withHistory(): Promise<string> {
  const sessionId = newId();
  await parley.sessions.createSession({ sessionId, requestId: 'one', session: { configs: { n: 1 } } });
  await parley.configs.updateConfigs({ sessionId, requestId: 'two', configs: { n: 2 } });
  await parley.configs.patchConfigs({ sessionId, configs: { m: 3 } });
  await parley.configs.deleteConfigs({ sessionId });
  await parley.configs.rollbackConfigs({ sessionId, revision: 2 });
  return sessionId;
}

describe('the revisions', () => {
  it('say who did what and when, newest first', async () => {
    const { revisions, nextPageToken } = await parley.configs.listConfigsRevisions({
      sessionId: await withHistory(),
    });
    expect(
      revisions.map(({ revision, configs, operation, requestId, principal }) => ({
        revision,
        configs,
        operation,
        requestId,
        principal,
      })),
    ).toEqual([
      { revision: 5, configs: { n: 2 }, operation: ROLLBACK, requestId: '', principal: '' },
      { revision: 4, configs: undefined, operation: DELETE, requestId: '', principal: '' },
      { revision: 3, configs: { n: 2, m: 3 }, operation: PATCH, requestId: '', principal: '' },
      { revision: 2, configs: { n: 2 }, operation: UPDATE, requestId: 'two', principal: '' },
      { revision: 1, configs: { n: 1 }, operation: CREATE, requestId: 'one', principal: '' },
    ]);
    const times = revisions.map(({ createTime }) => Number(createTime!.seconds) * 1e9 + createTime!.nanos);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(nextPageToken).toBe('');
  });

  it('of configs that were never set are none', async () => {
    const { session } = await parley.sessions.createSession({});
    const answer = await parley.configs.listConfigsRevisions({ sessionId: session!.sessionId });
    expect(answer.revisions).toEqual([]);
  });

  it('come in pages that stay put while new ones are made', async () => {
    const sessionId = await withHistory();
    const first = await parley.configs.listConfigsRevisions({ sessionId, pageSize: 2 });
    await parley.configs.patchConfigs({ sessionId, configs: { n: 6 } });
    const second = await parley.configs.listConfigsRevisions({
      sessionId,
      pageSize: 10,
      pageToken: first.nextPageToken,
    });
    const numbers = [...first.revisions, ...second.revisions].map(({ revision }) => revision);
    expect(numbers).toEqual([5, 4, 3, 2, 1]);
    expect(second.nextPageToken).toBe('');
  });

  it('of one session take no token of another', async () => {
    const { nextPageToken } = await parley.configs.listConfigsRevisions({
      sessionId: await withHistory(),
      pageSize: 2,
    });
    const sessionId = await withHistory();
    const call = parley.configs.listConfigsRevisions({ sessionId, pageSize: 2, pageToken: nextPageToken });
    expect(await refusal(call)).toBe('INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token');
    expect(await refusal(parley.configs.listConfigsRevisions({ sessionId, pageSize: -1 }))).toBe(
      'INVALID_ARGUMENT FIELD_INVALID page_size',
    );
  });
});

describe('RollbackConfigs', () => {
  it('makes a new revision of an old one', async () => {
    const sessionId = await withHistory();
    const answer = await parley.configs.rollbackConfigs({ sessionId, revision: 1 });
    expect(answer).toMatchObject({ revision: 6, configs: { n: 1 } });
  });

  it('to a revision that left them unset unsets them', async () => {
    const sessionId = await withHistory();
    const answer = await parley.configs.rollbackConfigs({ sessionId, revision: 4 });
    expect([answer.revision, answer.configs]).toEqual([6, undefined]);
    expect((await parley.configs.getConfigs({ sessionId })).configs).toBeUndefined();
  });

  it('to what is there already changes nothing', async () => {
    const sessionId = await withHistory();
    const before = await parley.configs.getConfigs({ sessionId });
    for (const revision of [5, 2]) {
      const {
        configs,
        etag,
        revision: current,
      } = await parley.configs.rollbackConfigs({ sessionId, revision });
      expect({ configs, etag, revision: current }).toMatchObject({
        configs: before.configs,
        etag: before.etag,
        revision: 5,
      });
    }
  });

  it('to an unknown revision is NOT_FOUND and names it', async () => {
    const sessionId = await withHistory();
    const error = await failure(parley.configs.rollbackConfigs({ sessionId, revision: 6 }));
    expect(summary(error)).toBe('NOT_FOUND REVISION_NOT_FOUND');
    expect(resource(error)).toBe('parley.v1.ConfigsRevision 6');
    const never = (await parley.sessions.createSession({})).session!.sessionId;
    expect(await refusal(parley.configs.rollbackConfigs({ sessionId: never, revision: 1 }))).toBe(
      'NOT_FOUND REVISION_NOT_FOUND',
    );
    expect(await refusal(parley.configs.rollbackConfigs({ sessionId, revision: 4_294_967_295 }))).toBe(
      'NOT_FOUND REVISION_NOT_FOUND',
    );
  });

  it('to revision 0 is refused', async () => {
    const call = parley.configs.rollbackConfigs({ sessionId: await withHistory(), revision: 0 });
    expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID revision');
  });

  it('of an absent session is SESSION_NOT_FOUND', async () => {
    const call = parley.configs.rollbackConfigs({ sessionId: newId(), revision: 1 });
    expect(await refusal(call)).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });

  it('never reaches into an earlier session of the same id', async () => {
    const sessionId = await withHistory();
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    await parley.sessions.createSession({ sessionId, session: { configs: { new: true } } });
    const call = parley.configs.rollbackConfigs({ sessionId, revision: 2 });
    expect(await refusal(call)).toBe('NOT_FOUND REVISION_NOT_FOUND');
  });
});

describe('of 150 revisions', () => {
  const sessionId = newId();
  beforeAll(async () => {
    await parley.sessions.createSession({ sessionId });
    for (let n = 1; n <= 150; n++) await parley.configs.patchConfigs({ sessionId, configs: { n } });
  });

  it('the last 100 are kept, the current one included', async () => {
    const { revisions } = await parley.configs.listConfigsRevisions({ sessionId, pageSize: 1000 });
    expect(revisions.map(({ revision }) => revision)).toEqual(
      Array.from({ length: 100 }, (_, index) => 150 - index),
    );
    for (const { revision, configs } of revisions) expect(configs).toEqual({ n: revision });
  });

  it('one no longer kept cannot be rolled back to, the oldest kept can', async () => {
    const lost = parley.configs.rollbackConfigs({ sessionId, revision: 50 });
    expect(await refusal(lost)).toBe('NOT_FOUND REVISION_NOT_FOUND');
    const { configs } = await parley.configs.rollbackConfigs({ sessionId, revision: 51 });
    expect(configs).toEqual({ n: 51 });
  });

  it('a watcher cannot start before the kept ones', async () => {
    const start = (afterRevision: number) =>
      parley.configs.watchConfigs({ sessionId, afterRevision })[Symbol.asyncIterator]().next();
    const { revisions } = await parley.configs.listConfigsRevisions({ sessionId, pageSize: 1000 });
    const oldest = revisions.at(-1)!.revision;
    expect(summary(await failure(start(oldest - 2)))).toBe('OUT_OF_RANGE REVISION_COMPACTED');
    expect(summary(await failure(start(0)))).toBe('OUT_OF_RANGE REVISION_COMPACTED');
    const first = await start(oldest - 1);
    expect(first.value?.event).toMatchObject({ case: 'revision', value: { revision: oldest } });
  });
});
