import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectError } from '@connectrpc/connect';
import { expect, inject, it } from 'vitest';
import { newId } from '../harness.ts';
import { ParleyProcess } from '../processes.ts';
import { cuttingProxy } from '../redis/cutting_proxy.ts';
import { summary } from '../refusal.ts';
import { chat as ask, type Listener, resume } from './chat_listener.ts';
import { expectHeard } from './chat_records.ts';
import { expectSound, Recorder } from './recorder.ts';

const CUTS = 60;
/** Connecting alone takes seven thousand. */
const CUT_WITHIN = 40_000;
const GONE = 'UNAVAILABLE STORAGE_UNAVAILABLE';

it('a process whose connections to Redis break at any byte goes on, loses nothing and repeats nothing', async () => {
  const proxy = await cuttingProxy(inject('redisUrl'));
  const settings = { REDIS_URL: proxy.path, PARLEY_KEY_PREFIX: newId(), PARLEY_RUN_LEASE: '1s' };
  const parley = new ParleyProcess(settings);
  const server = await parley.ready();
  const { sessions, configs, documents } = server;
  const story = await Recorder.begin([await parley.address()]);
  const { sessionId } = story;
  for (const name of ['ann', 'bob', 'cyd']) story.follow(name);

  proxy.cutWithin(CUT_WITHIN);
  proxy.cutAll();
  const over = () => proxy.cuts >= CUTS;
  const keep = async (work: () => Promise<unknown>) => {
    while (!over()) await work();
  };
  const patched: Record<string, number> = {};
  const runs: { runId: string; sessionId: string; streams: Listener[] }[] = [];
  const talk = async () => {
    const { sessionId } = (await insist(() => sessions.createSession({}))).session!;
    const streams = [ask(server, { sessionId, messages: [{ content: 'All of these words.' }] })];
    await streams[0]!.over;
    const runId = streams[0]!.messages[0]?.runId;
    if (runId === undefined) return; // it never began, or nobody was told
    while (streams.at(-1)!.end === GONE) {
      const offset = streams.flatMap(({ messages }) => messages).at(-1)!.offset;
      await sleep(20);
      streams.push(resume(server, sessionId, runId, offset));
      await streams.at(-1)!.over;
    }
    runs.push({ sessionId, runId, streams });
  };
  await Promise.all([
    keep(() => story.append(3)),
    keep(async () => {
      const n = Object.keys(patched).length;
      patched[`key${n}`] = n;
      const request = { sessionId, configs: { [`key${n}`]: n }, requestId: newId() };
      await insist(() => configs.patchConfigs(request));
    }),
    ...Array.from({ length: 5 }, () => keep(talk)),
    keep(async () => {
      const document = { title: 'A', content: 'Words of it. '.repeat(50) };
      await insist(() => documents.createDocument({ sessionId, document }));
      await insist(() => documents.searchDocuments({ sessionId, text: 'words' }));
      await insist(() => sessions.listSessions({ filterByConfigs: { key1: 1 } }));
    }),
  ]);
  proxy.cutNoMore();

  expect((await insist(() => configs.getConfigs({ sessionId }))).configs).toEqual(patched);
  for (const { sessionId, runId, streams } of runs) {
    await expectHeard(server, sessionId, runId, { caller: streams }, [GONE]);
  }
  expectSound(await story.finish());
  // And it was this story.
  expect(story.refused).toBeGreaterThan(10);
  expect(runs.length).toBeGreaterThan(0);
});

/** Sends a request again for as long as Redis is away. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (summary(ConnectError.from(error)) !== GONE) throw error;
      await sleep(20);
    }
  }
}
