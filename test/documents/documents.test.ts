import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Document } from '../../src/documents/document.ts';
import { Documents, type SearchQuery } from '../../src/documents/documents.ts';
import type { PassageSearch } from '../../src/documents/search.ts';
import type { DocumentStore, Entry } from '../../src/documents/store.ts';
import type { JsonObject } from '../../src/structs/json.ts';

const key = { namespace: '', sessionId: 's' };
const waiting = { signal: new AbortController().signal, throwIfOver: () => {} };

/** A filter that takes nearly as many comparisons with each document as are allowed. */
const COSTLY = { list: Array.from({ length: 200 }, () => ({ a: 1199 })) };
const metadata = { list: Array.from({ length: 1200 }, (_, a) => ({ a })) };

/** One that is long to take apart. */
const PASSAGE = 'a storm '.repeat(20_000);

/** Documents in memory, which count how often one is held against a filter. */
function library(count: number) {
  const held = { times: 0 };
  const documents = Array.from({ length: count }, (_, at): Document & Entry => ({
    documentId: `d${at}`,
    made: `m${at}`,
    title: '',
    createTime: at,
    chunkCount: 1,
    get metadata() {
      held.times++;
      return metadata;
    },
  }));
  const store: Partial<DocumentStore> = {
    library: async () => ({ deleted: false, entries: documents }),
    readMany: async (_key, ids) => documents.filter(({ documentId }) => ids.includes(documentId)),
    passages: async (_key, places) =>
      places.map(({ entry }) => ({ document: entry as Document & Entry, text: PASSAGE })),
  };
  const search: Partial<PassageSearch> = {
    find: async ({ within, library: { entries } }) =>
      (within ?? entries).map((entry) => ({ entry, chunk: `${entry.made}/0`, index: 0, score: 1 })),
  };
  return { held, documents: new Documents(store as DocumentStore, search as PassageSearch, undefined) };
}

async function listed(documents: Documents, caller = waiting): Promise<string[]> {
  const found: string[] = [];
  for await (const { documentId } of documents.list(key, COSTLY, undefined, caller)) found.push(documentId);
  return found;
}

async function found(documents: Documents, limit: number, metadataFilter?: JsonObject): Promise<string[]> {
  const query: SearchQuery = { text: 'storm', mode: 'TEXT', metadataFilter, limit };
  const { results } = await documents.search(key, query, waiting);
  return results.map(({ document }) => document.documentId);
}

/** How often others had their turn meanwhile, and the most that was done in between. */
async function turnsOfOthers(work: Promise<unknown>, done: { times: number }) {
  let most = 0;
  let turns = 0;
  let before = done.times;
  const over = work.then(() => true);
  for (let isOver = false; !isOver; turns++) {
    isOver = await Promise.race([over, setImmediate(false)]);
    most = Math.max(most, done.times - before);
    before = done.times;
  }
  return { turns, most };
}

describe('a costly filter', () => {
  it('lets others have their turn while documents are listed', async () => {
    const { documents, held } = library(20);
    const all = listed(documents);
    expect((await turnsOfOthers(all, held)).turns).toBeGreaterThan(5);
    expect(await all).toHaveLength(20);
  });

  it('lets others have their turn while documents are searched', async () => {
    const { documents, held } = library(20);
    const some = found(documents, 5, COSTLY);
    expect((await turnsOfOthers(some, held)).turns).toBeGreaterThan(5);
    expect(await some).toEqual(['d0', 'd1', 'd2', 'd3', 'd4']);
  });

  it('of many at once is not held against a document by each of them in one turn', async () => {
    const { documents, held } = library(2);
    const all = Promise.all(Array.from({ length: 12 }, () => listed(documents)));
    expect((await turnsOfOthers(all, held)).most).toBeLessThan(6);
    expect(held.times).toBe(24);
  });

  it('is not held against any more documents once nobody waits', async () => {
    const { documents, held } = library(50);
    const gone = new Error('gone');
    const throwIfOver = () => {
      throw gone;
    };
    await expect(listed(documents, { ...waiting, throwIfOver })).rejects.toBe(gone);
    expect(held.times).toBeLessThan(10);
  });
});

it('others have their turn while snippets are cut', async () => {
  const { documents, held } = library(20);
  const all = found(documents, 20);
  expect((await turnsOfOthers(all, held)).turns).toBeGreaterThan(5);
  expect(await all).toHaveLength(20);
});
