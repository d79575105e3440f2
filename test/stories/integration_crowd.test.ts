/** Many integrate one session by two servers while it is spoken in; some leave, some ask again. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newId, startParley } from '../harness.ts';
import { startEndpoint } from '../models/endpoint.ts';
import { insightsOf, integrated, learnt, sessionOf, shown, teaches } from '../services/insights.ts';
import { numbers, say } from '../services/turns.ts';

const TURNS = 60;

it('whoever integrates at once, leaves early or asks again, each turn is learnt from once', async () => {
  const endpoint = await startEndpoint();
  // No two answers are alike, so that what is learnt twice is not taken for the same.
  endpoint.answers((request) =>
    teaches(...shown(request).map(({ seq }) => ({ text: `${seq} ${newId()}`, evidence: [seq] }))),
  );
  const settings = {
    PARLEY_KEY_PREFIX: `test-${newId()}`,
    PARLEY_MODEL: 'test',
    OPENAI_BASE_URL: endpoint.url,
  };
  const servers = [await startParley(settings), await startParley(settings)];
  const sessionId = await sessionOf(servers[0]!, 0, 'bot', 'owl');
  let left = TURNS;
  const chance = fc.sample(fc.integer({ min: 0, max: 40 }), { seed: 6, numRuns: 2000 });

  const caller = async (number: number) => {
    for (let n = 0; left > 0; n++) {
      const server = servers[n % 2]!;
      const requestId = `${number} ${n >> 1}`; // each is asked twice
      const stream = server.sessions.integrateSession(
        { sessionId, requestId },
        { timeoutMs: chance.pop()! * 3 + 5 },
      );
      await Array.fromAsync(stream).catch(() => []);
    }
  };
  const speaker = async () => {
    while (left > 0) {
      const before = endpoint.requests.length;
      await say(servers[left % 2]!, sessionId, left);
      // Not faster than they learn, so that many batches are made.
      const asked = () => endpoint.requests.length;
      await expect.poll(asked, { interval: 3, timeout: 20_000 }).toBeGreaterThan(before);
      left--;
    }
  };
  await Promise.all([speaker(), ...numbers(1, 4).map(caller)]);

  const [one] = servers;
  await expect
    .poll(() => integrated(one!, { sessionId }).catch(() => []), { timeout: 20_000 })
    .toEqual(['started bot owl', 'bot skipped', 'owl skipped', 'completed']);
  for (const agent of ['bot', 'owl']) {
    const seqs = (await insightsOf(one!, sessionId, agent)).flatMap(({ evidence }) => evidence);
    expect(seqs.toReversed()).toEqual(numbers(1, TURNS));
  }
  expect(await learnt(one!, sessionId)).toBe(
    `bot: ${TURNS} through ${TURNS}, owl: ${TURNS} through ${TURNS}`,
  );
  for (const server of servers) await server.stop();
});
