import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { newId } from '../harness.ts';
import { follow, type Listener, resume } from './chat_listener.ts';
import { expectHeard, logOf } from './chat_records.ts';
import { begin, type Server, setStage } from './chat_stage.ts';

const WORDS = Array.from(
  { length: 300 },
  (_, index) => `wörd-${index} ${index % 50 === 0 ? '🦜'.repeat(300) : ''}`,
);

it('an answer resumed on the other process in mid-word gives exactly the rest', async () => {
  const stage = await setStage();
  const { one, two } = stage;
  const { sessionId, runId, caller, answer } = await begin(stage, one, 'Twin');
  await caller.cut();
  const heard = caller.messages.at(-1)!.offset;
  const rest = resume(two, sessionId, runId, heard);
  answer.say('kle', ' twinkle');
  await rest.hears('kle twinkle');
  answer.finish();
  expect(await rest.over).toBe('OK');
  expect(rest.messages[0]!.offset).toBe(heard + 1);
  await expectHeard(two, sessionId, runId, { caller: [caller, rest] });

  const after = resume(one, sessionId, runId);
  const end = resume(two, sessionId, runId, rest.messages.at(-1)!.offset);
  await Promise.all([after.over, end.over]);
  await expectHeard(one, sessionId, runId, { caller: [caller, rest], late: [after] });
  expect([end.end, end.messages]).toEqual(['OK', []]);
});

it('clients that are cut at random and resume on any process all hear the whole answer once', async () => {
  const stage = await setStage();
  const { one, two } = stage;
  for (let round = 0; round < 3; round++) {
    const { sessionId, runId, caller, answer } = await begin(stage, one, 'So: ', { requestId: newId() });
    const restless = Array.from({ length: 12 }, () => wander([one, two], sessionId, runId));
    const follower = follow(two, sessionId);
    for (const word of WORDS) {
      answer.say(word);
      if (Math.random() < 0.3) await sleep(Math.random() * 8);
    }
    answer.finish();
    const heard = await Promise.all(restless);
    await caller.over;
    await follower.hearsOf('completed');
    await follower.cut();
    const named = heard.map((streams, index) => [`client ${index + 1}`, streams] as const);
    await expectHeard(two, sessionId, runId, {
      caller: [caller],
      follower: [follower],
      ...Object.fromEntries(named),
    });
    expect(await logOf(one, sessionId)).toEqual(['1 USER A question?', `2 ASSISTANT So: ${WORDS.join('')}`]);
    // A story nobody was cut in proves nothing.
    expect(heard.filter((streams) => streams.some(({ end }) => end === 'cut')).length).toBeGreaterThan(6);
  }
});

/** Listens for a while, is cut off, resumes somewhere else, until it has all. */
async function wander(servers: readonly Server[], sessionId: string, runId: string): Promise<Listener[]> {
  const streams: Listener[] = [];
  for (let offset = 0; ; ) {
    const server = servers[Math.floor(Math.random() * servers.length)]!;
    const stream = resume(server, sessionId, runId, offset);
    streams.push(stream);
    const cut = setTimeout(() => void stream.cut(), Math.random() * 300);
    await stream.over;
    clearTimeout(cut);
    if (stream.end !== 'cut') return streams;
    offset = stream.messages.at(-1)?.offset ?? offset;
  }
}
