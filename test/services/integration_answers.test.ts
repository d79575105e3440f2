/** What models answer that should not: whoever wrote the turns may have talked them into it. */
import { describe, expect, it } from 'vitest';
import { type Behaviour, callDelta, delta, ending, text } from '../models/endpoint.ts';
import { useEndpoint } from './answers.ts';
import { insightsOf, integrated, learnt, sessionOf, teaches, told } from './insights.ts';
import { say } from './turns.ts';

const { parley, endpoint } = useEndpoint();

/** What becomes of an answer about turns 1 to 3. */
async function answered(behaviour: Behaviour): Promise<{ sessionId: string; event: string }> {
  const sessionId = await sessionOf(parley, 3, 'bot');
  endpoint.answersOnce(behaviour);
  const [, event] = await integrated(parley, { sessionId });
  return { sessionId, event: event! };
}

const one = { text: 'x', evidence: [1] };

describe('an answer that is not what was asked for', () => {
  it.each<[string, Behaviour]>([
    ['is no JSON', text('I learnt that it rains.')],
    ['is JSON in a fence', text('```json\n{"insights": []}\n```')],
    ['is nothing', text('')],
    ['is null', text('null')],
    ['is a bare list', text(JSON.stringify([one]))],
    ['has no list', text('{"insights": {"0": {"text": "x", "evidence": [1]}}}')],
    ['has more than the list', text(JSON.stringify({ insights: [one], watermark: 99 }))],
    ['has an item that is none', text('{"insights": ["x"]}')],
    ['has an item with more in it', text(JSON.stringify({ insights: [{ ...one, participant_id: 'owl' }] }))],
    ['has an item with __proto__', text('{"insights": [{"text": "x", "evidence": [1], "__proto__": {}}]}')],
    ['has a text that is none', text('{"insights": [{"text": 7, "evidence": [1]}]}')],
    ['has evidence that is no list', text('{"insights": [{"text": "x", "evidence": 1}]}')],
    ['has evidence that is no whole number', text('{"insights": [{"text": "x", "evidence": [1.5]}]}')],
    ['has evidence in words', text('{"insights": [{"text": "x", "evidence": ["1"]}]}')],
    ['is deeper than deep', text('['.repeat(200_000))],
    ['is cut off', [delta({ content: '{"insights": [' }), ...ending('length')]],
    ['is whole but was cut off', [delta({ content: '{"insights": []}' }), ...ending('length')]],
    ['is a refusal', [delta({ refusal: 'I may not.' }), ...ending()]],
    ['is a call', [callDelta(0, { name: 'insights', arguments: '{}' }, 'a'), ...ending('tool_calls')]],
    ['never ends', text(`{"insights": [${`${JSON.stringify(one)}, `.repeat(60_000)}`)],
  ])('because it %s fails the agent, and leaves its watermark alone', async (_, behaviour) => {
    const { sessionId, event } = await answered(behaviour);
    expect(event).toBe('bot 1-3 failed MODEL_ANSWER_INVALID');
    expect(await learnt(parley, sessionId)).toBe('bot: 0 through 0');
    expect(await insightsOf(parley, sessionId)).toEqual([]);
    endpoint.answersOnce(teaches({ text: 'later', evidence: [3] }));
    expect(await integrated(parley, { sessionId })).toContain('bot 1-3: later (3)');
  });
});

describe('insights', () => {
  it('without evidence among the turns that were shown are left out, and evidence that is not there too', async () => {
    const { event } = await answered(
      teaches(
        { text: 'none', evidence: [] },
        { text: 'later', evidence: [4, 5] },
        { text: 'odd', evidence: [0, -1, 4294967297, 1e300] },
        { text: 'some', evidence: [9, 3, 1, 3, 1] },
      ),
    );
    expect(event).toBe('bot 1-3: some (1 3)');
  });

  it('are not supported by turns the agent had looked at before', async () => {
    const { sessionId } = await answered(teaches());
    await say(parley, sessionId, 'four');
    endpoint.answersOnce(teaches({ text: 'old', evidence: [3] }, { text: 'new', evidence: [3, 4] }));
    expect(await integrated(parley, { sessionId })).toContain('bot 4-4: new (4)');
  });

  it('that say the same, or nothing, are left out', async () => {
    const { sessionId, event } = await answered(
      teaches(one, { text: '  X ', evidence: [2] }, { text: ' \n ', evidence: [1] }),
    );
    expect(event).toBe('bot 1-3: x (1)');
    await say(parley, sessionId, 'four');
    endpoint.answersOnce(teaches({ text: 'x', evidence: [4] }));
    expect(await integrated(parley, { sessionId })).toContain('bot 4-4: ');
    expect(await learnt(parley, sessionId)).toBe('bot: 1 through 4');
  });

  it('are of one line, in whole characters', async () => {
    const { event } = await answered(
      text('{"insights": [{"text": " a\\n- b\\u2028c \\ud800", "evidence": [1]}]}'),
    );
    expect(event).toBe('bot 1-3: a - b c \ufffd (1)');
  });

  it('are kept to fifty a batch, however many there are', async () => {
    const many = Array.from({ length: 10_000 }, (_, n) => ({ text: `insight ${n}`, evidence: [1, 2, 3] }));
    const { sessionId } = await answered(teaches(...many));
    expect(await learnt(parley, sessionId)).toBe('bot: 50 through 3');
    const insights = await insightsOf(parley, sessionId);
    expect(insights.map(told)).toEqual(
      many
        .slice(0, 50)
        .map(({ text }) => `${text} (1 2 3)`)
        .toReversed(),
    );
  });

  it('are kept to a thousand characters', async () => {
    const { sessionId } = await answered(
      teaches({ text: '😀'.repeat(200_000), evidence: [1] }, { text: 'y'.repeat(1000), evidence: [2] }),
    );
    const [whole, cut] = await insightsOf(parley, sessionId);
    expect(whole!.text).toBe('y'.repeat(1000));
    expect(cut!.text).toBe(`${'😀'.repeat(499)}…`);
  });
});
