import { beforeAll, describe, expect, it } from 'vitest';
import { newId, useParley } from '../harness.ts';
import { failure, refusal, summary } from '../refusal.ts';

const parley = useParley();
type Ask = Omit<Parameters<typeof parley.sessions.listSessions>[0], '$typeName'>;

const namespace = newId();
/** More than one probe holds, so that pages come from windows of time too. */
const IDS = Array.from({ length: 130 }, (_, index) => `s${String(index).padStart(3, '0')}`);

beforeAll(async () => {
  for (const sessionId of IDS)
    await parley.sessions.createSession({
      namespace,
      sessionId,
      session: { metadata: { even: /[02468]$/.test(sessionId) } },
    });
});

async function page(ask: Ask): Promise<{ ids: string[]; token: string }> {
  const { sessions, nextPageToken } = await parley.sessions.listSessions({ namespace, ...ask });
  return { ids: sessions.map(({ sessionId }) => sessionId), token: nextPageToken };
}

/** Walks all pages; `between` runs after each. */
async function walk(
  ask: Ask,
  between: (page: number) => Promise<unknown> = async () => {},
): Promise<string[]> {
  const all: string[] = [];
  for (let pageToken = '', count = 0; ; count++) {
    const { ids, token } = await page({ ...ask, pageToken });
    all.push(...ids);
    if (token === '') return all;
    expect(ids.length).toBeGreaterThan(0);
    await between(count);
    pageToken = token;
  }
}

describe('page after page', () => {
  it.each([
    ['create_time asc', 7],
    ['create_time desc', 7],
    ['update_time asc', 50],
    ['update_time desc', 129],
    ['create_time asc', 130],
    ['create_time desc', 131],
    ['create_time desc', 1],
  ])('%s by %i holds every session once, in order', async (orderBy, pageSize) => {
    const expected = orderBy.endsWith('asc') ? IDS : IDS.toReversed();
    expect(await walk({ orderBy, pageSize })).toEqual(expected);
  });

  it('of a filtered list holds what matches', async () => {
    const ask = { metadataFilter: { even: true }, pageSize: 9, orderBy: 'create_time asc' };
    expect(await walk(ask)).toEqual(IDS.filter((_, index) => index % 2 === 0));
  });

  it('ends with an empty token, also when the last page is just full', async () => {
    expect((await page({ pageSize: 130 })).token).toBe('');
    expect((await page({ pageSize: 129 })).token).not.toBe('');
  });

  it('holds 50 by default, and 1000 when more is asked for', async () => {
    expect((await page({})).ids).toHaveLength(50);
    expect((await page({ pageSize: 0 })).ids).toHaveLength(50);
    const own = newId();
    await Promise.all(Array.from({ length: 1001 }, () => parley.sessions.createSession({ namespace: own })));
    const coerced = await page({ namespace: own, pageSize: 2_147_483_647 });
    expect(coerced.ids).toHaveLength(1000);
    expect((await page({ namespace: own, pageSize: 5000, pageToken: coerced.token })).ids).toHaveLength(1);
  });

  it('may change its size', async () => {
    const first = await page({ pageSize: 3 });
    const second = await page({ pageSize: 5, pageToken: first.token });
    expect([...first.ids, ...second.ids]).toEqual(IDS.toReversed().slice(0, 8));
  });

  it('ends early rather than outgrow what a client takes', async () => {
    const own = newId();
    const session = { data: { blob: 'x'.repeat(60_000) }, metadata: { blob: 'x'.repeat(60_000) } };
    for (let n = 0; n < 30; n++) await parley.sessions.createSession({ namespace: own, session });
    const first = await page({ namespace: own });
    expect(first.ids.length).toBeLessThan(30);
    expect(await walk({ namespace: own })).toHaveLength(30);
  });
});

describe('while others write', () => {
  it.each(['create_time asc', 'create_time desc'])(
    '%s neither skips nor repeats what was there throughout',
    async (orderBy) => {
      const own = newId();
      const kept = Array.from({ length: 30 }, (_, index) => `kept-${index}`);
      for (const [index, sessionId] of kept.entries()) {
        await parley.sessions.createSession({ namespace: own, sessionId });
        await parley.sessions.createSession({ namespace: own, sessionId: `victim-${index}` });
      }
      const found = await walk({ namespace: own, orderBy, pageSize: 4 }, async (count) => {
        for (const index of [count, 29 - count])
          await parley.sessions.deleteSession({
            namespace: own,
            sessionId: `victim-${index}`,
            permanent: count % 2 === 0,
            allowMissing: true,
          });
        await parley.sessions.updateSession({
          namespace: own,
          sessionId: kept[count % 30]!,
          dataPatch: { count },
        });
        if (count < 10) await parley.sessions.createSession({ namespace: own, sessionId: `new-${count}` });
      });
      expect(new Set(found).size).toBe(found.length);
      const order = orderBy.endsWith('asc') ? kept : kept.toReversed();
      expect(found.filter((id) => id.startsWith('kept'))).toEqual(order);
    },
  );

  it('by update_time the same holds for those nobody touched', async () => {
    const own = newId();
    const kept = Array.from({ length: 20 }, (_, index) => `kept-${index}`);
    for (const [index, sessionId] of kept.entries()) {
      await parley.sessions.createSession({ namespace: own, sessionId });
      await parley.sessions.createSession({ namespace: own, sessionId: `busy-${index}` });
    }
    const found = await walk({ namespace: own, orderBy: 'update_time desc', pageSize: 3 }, (count) =>
      parley.sessions.updateSession({
        namespace: own,
        sessionId: `busy-${count % 20}`,
        dataPatch: { count },
      }),
    );
    expect(found.filter((id) => id.startsWith('kept'))).toEqual(kept.toReversed());
  });

  it('goes on though the session a token points at is gone', async () => {
    const own = newId();
    for (const sessionId of ['a', 'b', 'c', 'd'])
      await parley.sessions.createSession({ namespace: own, sessionId });
    const first = await page({ namespace: own, pageSize: 2 });
    await parley.sessions.deleteSession({ namespace: own, sessionId: 'c', permanent: true });
    expect((await page({ namespace: own, pageToken: first.token })).ids).toEqual(['b', 'a']);
  });
});

describe('skip', () => {
  it('passes over sessions from the beginning, or from where the token points', async () => {
    const newest = IDS.toReversed();
    expect((await page({ skip: 3, pageSize: 2 })).ids).toEqual(newest.slice(3, 5));
    const first = await page({ pageSize: 2 });
    expect((await page({ skip: 3, pageSize: 2, pageToken: first.token })).ids).toEqual(newest.slice(5, 7));
    const skipped = await page({ skip: 120, pageSize: 2 });
    expect((await page({ pageSize: 2, pageToken: skipped.token })).ids).toEqual(newest.slice(122, 124));
  });

  it('past the end is an empty last page', async () => {
    expect(await page({ skip: 130 })).toEqual({ ids: [], token: '' });
    expect(await page({ skip: 2_147_483_647 })).toEqual({ ids: [], token: '' });
  });
});

describe('what is refused', () => {
  it.each([
    ['page_size', { pageSize: -1 }],
    ['skip', { skip: -1 }],
    ['page_token', { pageToken: 'x'.repeat(1025) }],
  ])('a bad %s', async (field, ask) => {
    expect(await refusal(page(ask))).toBe(`INVALID_ARGUMENT FIELD_INVALID ${field}`);
  });

  it('a token made up, damaged, or of another request', async () => {
    const { token } = await page({ pageSize: 1, userId: '' });
    const [position = '', checksum = ''] = token.split('.');
    const forged = Buffer.from('{"time":0,"sessionId":"x"}').toString('base64url');
    for (const pageToken of [
      'x',
      '.',
      '💥',
      token.slice(1),
      token.slice(0, -1),
      `${token}x`,
      `${forged}.${checksum}`,
      `${position}.`,
      position,
    ]) {
      const error = await failure(page({ pageToken }));
      expect(summary(error), pageToken).toBe('INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token');
    }
    const others: Ask[] = [
      { orderBy: 'create_time asc' },
      { orderBy: 'update_time' },
      { userId: 'u' },
      { agentId: 'a' },
      { includeDeleted: true },
      { metadataFilter: {} },
      { metadataFilter: { even: true } },
      { filterByConfigs: {} },
      { namespace: 'another' },
    ];
    for (const other of others) {
      const error = await failure(page({ ...other, pageToken: token }));
      expect(summary(error), JSON.stringify(other)).toBe('INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token');
    }
  });

  it('a token of ListConfigsRevisions', async () => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId, session: { configs: {} } });
    await parley.configs.updateConfigs({ sessionId, configs: { a: 1 } });
    const { nextPageToken } = await parley.configs.listConfigsRevisions({ sessionId, pageSize: 1 });
    expect(nextPageToken).not.toBe('');
    expect(await refusal(page({ pageToken: nextPageToken }))).toMatch('PAGE_TOKEN_INVALID');
  });
});
