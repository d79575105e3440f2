import { create, type MessageInitShape } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ListConfigsRevisionsRequestSchema } from '../../gen/parley/v1/configs_service_pb.ts';
import { ListSessionsRequestSchema } from '../../gen/parley/v1/session_service_pb.ts';
import { ParleyError } from '../../src/errors.ts';
import { Page } from '../../src/rpc/paging.ts';
import { isSessionPosition } from '../../src/sessions/query.ts';
import type { Json } from '../../src/structs/json.ts';
import { forAll } from '../property.ts';

type Request = MessageInitShape<typeof ListSessionsRequestSchema>;

const filter = { a: 1, b: { c: [1, 2], d: null } };
const request: Request = {
  namespace: 'tenant',
  userId: 'user',
  orderBy: 'create_time',
  metadataFilter: filter,
};

const isJson = (value: unknown): value is Json => value !== undefined;

function pageOf(fields: Request): Page<Json> {
  return new Page(ListSessionsRequestSchema, create(ListSessionsRequestSchema, fields), isJson);
}

/** The token of a page that ended here, with more to come. */
function tokenOf(fields: Request, position: Json): string {
  const page = pageOf({ ...fields, pageSize: 1 });
  expect(page.add(Buffer.from('item'), position)).toBe(true);
  expect(page.add(Buffer.from('next'), null)).toBe(false);
  return page.nextPageToken;
}

function expectInvalid(open: () => unknown): void {
  let error: unknown;
  try {
    open();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ParleyError);
  expect(error).toMatchObject({ reason: 'PAGE_TOKEN_INVALID', code: 'INVALID_ARGUMENT' });
  expect((error as ParleyError).context.fields?.[0]?.field).toBe('page_token');
}

const position = fc.oneof(
  fc.record({ time: fc.maxSafeNat(), sessionId: fc.string({ unit: 'binary' }) }),
  fc.jsonValue().map((json) => JSON.parse(JSON.stringify(json)) as Json),
);

describe('a page token', () => {
  it('carries any position to the next page', () => {
    forAll([position], (where) =>
      expect(pageOf({ ...request, pageToken: tokenOf(request, where) }).after).toEqual(where),
    );
  });

  it('is of characters that need no escaping anywhere', () => {
    forAll([position], (where) => expect(tokenOf(request, where)).toMatch(/^[\w.-]+$/));
  });

  it('goes with another page_size and skip', () => {
    const pageToken = tokenOf(request, 5);
    expect(pageOf({ ...request, pageToken, pageSize: 7, skip: 3 }).after).toBe(5);
    expect(pageOf({ ...request, pageToken: tokenOf({ ...request, skip: 3 }, 6) }).after).toBe(6);
  });

  it('goes with the same filter, its keys in another order', () => {
    const metadataFilter = { b: { d: null, c: [1, 2] }, a: 1 };
    expect(pageOf({ ...request, metadataFilter, pageToken: tokenOf(request, 5) }).after).toBe(5);
  });

  it.each<[string, Request]>([
    ['namespace', { namespace: 'other' }],
    ['no namespace', { namespace: '' }],
    ['user', { userId: 'other' }],
    ['agent', { agentId: 'user' }],
    ['order', { orderBy: 'create_time asc' }],
    ['deleted ones too', { includeDeleted: true }],
    ['another filter', { metadataFilter: { a: 1 } }],
    ['a filter of another order in an array', { metadataFilter: { a: 1, b: { c: [2, 1], d: null } } }],
    ['a filter of another type', { metadataFilter: { ...filter, a: '1' } }],
    ['the filter on other Structs', { filterByConfigs: filter }],
    [
      'a filter with __proto__',
      { metadataFilter: JSON.parse('{"a":1,"b":{"c":[1,2],"d":null},"__proto__":1}') },
    ],
  ])('does not go with another request: %s', (_, change) => {
    expectInvalid(() => pageOf({ ...request, ...change, pageToken: tokenOf(request, 5) }));
  });

  it('tells an empty filter from none', () => {
    const { metadataFilter: _, ...bare } = request;
    expectInvalid(() => pageOf({ ...bare, metadataFilter: {}, pageToken: tokenOf(bare, 5) }));
  });

  it('does not go with another method', () => {
    const pageToken = tokenOf({ namespace: 'tenant' }, 5);
    const other = create(ListConfigsRevisionsRequestSchema, { namespace: 'tenant', pageToken });
    expectInvalid(() => new Page(ListConfigsRevisionsRequestSchema, other, isJson));
  });

  it('is refused when what it says is no place in the list, whoever made its checksum', () => {
    const pageToken = tokenOf(request, { time: '5] | @createTime:[0 9e18', sessionId: 'a' });
    const asked = create(ListSessionsRequestSchema, { ...request, pageToken });
    expectInvalid(() => new Page(ListSessionsRequestSchema, asked, isSessionPosition));
    const far = create(ListSessionsRequestSchema, {
      ...request,
      pageToken: tokenOf(request, { time: 1e300, sessionId: 'a' }),
    });
    expectInvalid(() => new Page(ListSessionsRequestSchema, far, isSessionPosition));
  });

  it('is refused when any character of it is another', () => {
    const token = tokenOf(request, { time: 123_456, sessionId: 'abc' });
    forAll([fc.nat(token.length - 1), fc.constantFrom(...'aZ09-_.~ é')], (at, character) => {
      const tampered = token.slice(0, at) + character + token.slice(at + 1);
      // The last character of base64 may hold bits that mean nothing.
      if (tampered === token || at === token.indexOf('.') - 1) return;
      expectInvalid(() => pageOf({ ...request, pageToken: tampered }));
    });
  });

  it('is refused when it is none at all', () => {
    forAll(
      [
        fc.oneof(
          fc.string({ minLength: 1 }),
          fc.constantFrom('.', '..', 'null', 'bnVsbA.', '.AAAAAAAAAAAAAAAA', 'NQ'),
        ),
      ],
      (pageToken) => expectInvalid(() => pageOf({ ...request, pageToken })),
    );
  });
});

describe('a page', () => {
  it.each([
    [0, 50],
    [1, 1],
    [1000, 1000],
    [1001, 1000],
    [2_147_483_647, 1000],
  ])('of page_size %i holds %i', (pageSize, size) => {
    const page = pageOf({ pageSize });
    expect(page.size).toBe(size);
    for (let at = 0; at < size; at++) expect(page.add(Buffer.from('x'), at)).toBe(true);
    expect(page.nextPageToken).toBe('');
    expect(page.add(Buffer.from('x'), size)).toBe(false);
    expect(page.items).toHaveLength(size);
    expect(pageOf({ pageToken: page.nextPageToken }).after).toBe(size - 1);
  });

  it('is the last one when nothing was left over, and the first when there is no token', () => {
    const page = pageOf({});
    expect(page.after).toBeUndefined();
    expect(page.nextPageToken).toBe('');
    page.add(Buffer.from('x'), 1);
    expect(page.nextPageToken).toBe('');
  });

  it('ends early rather than grow beyond 3 MiB', () => {
    const page = pageOf({});
    const mebibyte = Buffer.alloc(1024 * 1024);
    expect([1, 2, 3, 4].map((at) => page.add(mebibyte, at))).toEqual([true, true, true, false]);
    expect(pageOf({ pageToken: page.nextPageToken }).after).toBe(3);
  });

  it('holds one item at least, however large', () => {
    const page = pageOf({});
    expect(page.add(Buffer.alloc(5 * 1024 * 1024), 1)).toBe(true);
    expect(page.add(Buffer.alloc(1), 2)).toBe(false);
  });
});
