import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type ClientHttp2Stream, connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { releaseStreams, StreamTable } from '../../src/rpc/stream_table.ts';

/** What Node keeps the streams of a stream's session in. */
function tableOf(stream: ServerHttp2Stream): Map<number, unknown> {
  const session = stream.session as unknown as Record<symbol, { streams: Map<number, unknown> }>;
  const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'state');
  return session[symbol!]!.streams;
}

/** A server whose streams stay open, and a client on a connection of its own. */
async function open() {
  const streams: ServerHttp2Stream[] = [];
  const server = createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    streams.push(stream);
    stream.respond({ ':status': 200 });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const request = async (): Promise<ClientHttp2Stream> => {
    const stream = client.request({ ':method': 'POST', ':path': '/' });
    stream.on('error', () => {});
    await once(stream, 'response');
    return stream;
  };
  return { request, streams, client };
}

test('the streams of a session are in a table of ours from its first one on, while it lasts', async () => {
  const release = releaseStreams();
  onTestFinished(release);
  const { request, streams } = await open();
  const [first] = [await request(), await request()];
  const table = tableOf(streams[0]!);
  expect(table).toBeInstanceOf(StreamTable);
  expect([...table.keys()]).toEqual([1, 3]);
  expect(tableOf(streams[1]!)).toBe(table);
  streams[0]!.end();
  first.resume().end();
  await once(first, 'close');
  await expect.poll(() => [...table.keys()]).toEqual([3]);
});

test('a session that ends ends all streams in it', async () => {
  onTestFinished(releaseStreams());
  const { request, streams, client } = await open();
  for (let n = 0; n < 40; n++) await request();
  const table = tableOf(streams[0]!);
  expect(table).toBeInstanceOf(StreamTable);
  expect(table.size).toBe(40);
  client.destroy();
  await Promise.all(streams.map((stream) => stream.destroyed || once(stream, 'close')));
  expect(table.size).toBe(0);
});

test('when nobody asks for it any more, sessions are left alone', async () => {
  releaseStreams()();
  const { request, streams } = await open();
  await request();
  expect(tableOf(streams[0]!)).not.toBeInstanceOf(StreamTable);
});

test.each([
  ['no state', {}],
  ['no streams in it', { [Symbol('state')]: {} }],
  ['streams of another kind', { [Symbol('state')]: { streams: [1] } }],
  ['no session any more', undefined],
])('a stream with %s is left alone', async (_, session) => {
  vi.resetModules(); // the first session that is seen tells where the others have it
  const fresh = await import('../../src/rpc/stream_table.ts');
  onTestFinished(fresh.releaseStreams());
  const before = inspect(session);
  channel('http2.server.stream.created').publish({ stream: { session } });
  expect(inspect(session)).toBe(before);
});

test('the table is a Map to whoever asks', () => {
  const id = fc.integer({ min: 1, max: 9 });
  const step = fc.oneof(
    fc.record({ do: fc.constant('set' as const), id, value: fc.string() }),
    fc.record({ do: fc.constant('delete' as const), id }),
    fc.record({ do: fc.constant('clear' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const map = new Map<number, string>();
      const table = new StreamTable<string>();
      for (const one of steps) {
        if (one.do === 'set') expect(table.set(one.id, one.value)).toBe(map.set(one.id, one.value) && table);
        else if (one.do === 'delete') expect(table.delete(one.id)).toBe(map.delete(one.id));
        else {
          map.clear();
          table.clear();
        }
        const sorted = [...map].sort(([a], [b]) => a - b);
        expect([...table]).toEqual(sorted);
        expect([...table.values()]).toEqual(sorted.map(([, value]) => value));
        const visited: unknown[] = [];
        table.forEach((value, key, all) => {
          visited.push([key, value, all === table]);
        });
        expect(visited).toEqual(sorted.map(([key, value]) => [key, value, true]));
        expect(table.size).toBe(map.size);
        for (let key = 1; key < 10; key++) {
          expect(table.get(key)).toBe(map.get(key));
          expect(table.has(key)).toBe(map.has(key));
        }
      }
    }),
  );
});
