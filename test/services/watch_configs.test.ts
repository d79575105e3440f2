import { createConnection } from 'node:net';
import type { JsonObject } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { ConfigsRevision, WatchConfigsResponse } from '../../gen/parley/v1/configs_service_pb.ts';
import { type Clients, newId, type Parley, startParley, useParley } from '../harness.ts';
import { failure, summary } from '../refusal.ts';

const parley = useParley();
let second: Parley;
beforeAll(async () => {
  second = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
});
afterAll(() => second.stop());

async function created(configs?: JsonObject): Promise<string> {
  const { session } = await parley.sessions.createSession({ session: { ...(configs && { configs }) } });
  return session!.sessionId;
}

/** A stream of revisions, taken one by one. */
class Watch {
  readonly #abort = new AbortController();
  readonly #events: AsyncIterator<WatchConfigsResponse>;

  constructor({ configs }: Clients, sessionId: string, afterRevision?: number) {
    const from = afterRevision === undefined ? {} : { afterRevision };
    const stream = configs.watchConfigs({ sessionId, ...from }, { signal: this.#abort.signal });
    this.#events = stream[Symbol.asyncIterator]();
  }

  async next(): Promise<ConfigsRevision> {
    const { event } = (await this.#events.next()).value as WatchConfigsResponse;
    if (event.case !== 'revision') throw new Error(`a ${event.case} came`);
    return event.value;
  }

  async take(count: number): Promise<number[]> {
    const revisions = [];
    while (revisions.length < count) revisions.push((await this.next()).revision);
    return revisions;
  }

  async end(): Promise<string> {
    return summary(await failure(this.#events.next()));
  }

  cancel(): void {
    this.#abort.abort();
  }
}

describe('a watch', () => {
  it('begins with the current revision, as ListConfigsRevisions has it', async () => {
    const sessionId = await created({ n: 1 });
    await parley.configs.patchConfigs({ sessionId, configs: { n: 2 }, requestId: 'r' });
    const { revisions } = await parley.configs.listConfigsRevisions({ sessionId });
    expect(await new Watch(parley, sessionId).next()).toEqual(revisions[0]);
  });

  it('of configs that were never set begins with revision 0', async () => {
    const first = await new Watch(parley, await created()).next();
    expect([first.revision, first.configs, first.operation]).toEqual([0, undefined, 0]);
  });

  it('after a revision begins with the next, and goes on live', async () => {
    const sessionId = await created({ n: 1 });
    for (const n of [2, 3, 4]) await parley.configs.patchConfigs({ sessionId, configs: { n } });
    const watch = new Watch(parley, sessionId, 2);
    expect(await watch.take(2)).toEqual([3, 4]);
    await parley.configs.patchConfigs({ sessionId, configs: { n: 5 } });
    expect((await watch.next()).configs).toEqual({ n: 5 });
  });

  it('after 0 has every revision', async () => {
    const sessionId = await created({ n: 1 });
    await parley.configs.deleteConfigs({ sessionId });
    expect(await new Watch(parley, sessionId, 0).take(2)).toEqual([1, 2]);
  });

  it('after the current one has the next only', async () => {
    const sessionId = await created({ n: 1 });
    const watch = new Watch(parley, sessionId, 1);
    await parley.configs.patchConfigs({ sessionId, configs: { n: 2 } });
    expect(await watch.take(1)).toEqual([2]);
  });

  it('on one server sees each revision made on two, once and in order', async () => {
    const sessionId = await created();
    const watches = [parley, second].map((server) => new Watch(server, sessionId, 0));
    const write = async (server: Clients, name: string) => {
      for (let n = 0; n < 20; n++) await server.configs.patchConfigs({ sessionId, configs: { [name]: n } });
    };
    await Promise.all([write(parley, 'a'), write(second, 'b'), write(second, 'c')]);
    const expected = Array.from({ length: 60 }, (_, index) => index + 1);
    for (const watch of watches) expect(await watch.take(60)).toEqual(expected);
  });

  it('is not woken by what is not about configs', async () => {
    const sessionId = await created({ n: 1 });
    const watch = new Watch(parley, sessionId, 1);
    await parley.sessions.updateSession({ sessionId, dataPatch: { a: 1 } });
    await parley.configs.patchConfigs({ sessionId, configs: {} });
    await parley.configs.patchConfigs({ sessionId, configs: { n: 2 } });
    expect(await watch.take(1)).toEqual([2]);
  });
});

describe('a watch is refused', () => {
  it('beyond the current revision', async () => {
    const sessionId = await created({ n: 1 });
    expect(await new Watch(parley, sessionId, 2).end()).toBe('INVALID_ARGUMENT FIELD_INVALID after_revision');
  });

  it('of an absent and of a deleted session', async () => {
    expect(await new Watch(parley, newId()).end()).toBe('NOT_FOUND SESSION_NOT_FOUND');
    const sessionId = await created();
    await parley.sessions.deleteSession({ sessionId });
    expect(await new Watch(parley, sessionId).end()).toBe('NOT_FOUND SESSION_DELETED');
  });
});

describe('a watch ends', () => {
  it.each([
    ['deleted', false],
    ['purged', true],
  ])('with SESSION_DELETED when the session is %s, by whichever server', async (_, permanent) => {
    const sessionId = await created({ n: 1 });
    const watches = [parley, second].map((server) => new Watch(server, sessionId));
    for (const watch of watches) await watch.next();
    await second.sessions.deleteSession({ sessionId, permanent });
    for (const watch of watches) expect(await watch.end()).toBe('NOT_FOUND SESSION_DELETED');
  });

  it('when the session is purged and made anew under the same id', async () => {
    const sessionId = await created({ n: 1 });
    const watch = new Watch(parley, sessionId);
    await watch.next();
    await second.sessions.deleteSession({ sessionId, permanent: true });
    await second.sessions.createSession({ sessionId, session: { configs: { n: 'new' } } });
    expect(await watch.end()).toBe('NOT_FOUND SESSION_DELETED');
    expect((await new Watch(parley, sessionId).next()).configs).toEqual({ n: 'new' });
  });

  it('with UNAVAILABLE SERVER_STOPPING when its server stops, and goes on elsewhere', async () => {
    const sessionId = await created({ n: 1 });
    const third = await startParley({ PARLEY_KEY_PREFIX: parley.keyPrefix });
    const watch = new Watch(third, sessionId);
    const { revision } = await watch.next();
    const [end] = await Promise.all([watch.end(), third.stop()]);
    expect(end).toBe('UNAVAILABLE SERVER_STOPPING');
    await parley.configs.patchConfigs({ sessionId, configs: { n: 2 } });
    expect(await new Watch(parley, sessionId, revision).take(1)).toEqual([2]);
  });

  it('when its caller leaves, and then nothing of it is left', async () => {
    const sessionId = await created({ n: 1 });
    const [one, two] = [new Watch(parley, sessionId), new Watch(parley, sessionId)];
    await Promise.all([one.next(), two.next()]);
    expect(await subscribers(sessionId)).toBe(1);
    one.cancel();
    expect(await one.end()).toMatch(/^CANCELLED/);
    await parley.configs.patchConfigs({ sessionId, configs: { n: 2 } });
    expect(await two.take(1)).toEqual([2]);
    two.cancel();
    await vi.waitFor(async () => expect(await subscribers(sessionId)).toBe(0), { timeout: 5000 });
  });
});

/** How many connections are subscribed to the session's channel. */
async function subscribers(sessionId: string): Promise<number> {
  const channel = `${parley.keyPrefix}:live:{default/${sessionId}}`;
  const socket = createConnection(inject('redisUrl'));
  socket.setEncoding('utf8').write(`PUBSUB SHARDNUMSUB ${channel}\r\nQUIT\r\n`);
  let text = '';
  for await (const chunk of socket) text += chunk;
  return Number(/:(\d+)/.exec(text.slice(text.indexOf('}')))![1]);
}
