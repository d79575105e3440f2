import { describe, expect, it } from 'vitest';
import { newId } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { Answer, chat, held, told, useEndpoint } from './answers.ts';
import { numbers, say, seqsOf, sessionWith } from './turns.ts';

const { parley, endpoint } = useEndpoint();

async function question(turns = 0) {
  return {
    sessionId: await sessionWith(parley, turns),
    requestId: newId(),
    messages: [{ content: 'hello' }],
  };
}

describe('a repeated Chat', () => {
  it('gets the events of the run that answered, from the first, and asks nobody', async () => {
    const ask = await question();
    const first = await chat(parley, ask);
    const asked = endpoint.requests.length;
    expect(await chat(parley, ask)).toEqual(first);
    expect(endpoint.requests).toHaveLength(asked);
    expect(await seqsOf(parley, ask.sessionId)).toEqual([1, 2]);
  });

  it('joins the run that still answers', async () => {
    const ask = await question();
    const { written, letGo } = held('so far', ' and on');
    endpoint.answersOnce(written);
    const first = await Answer.to(parley, ask).heard('so far');
    const again = await Answer.to(parley, ask).heard('so far');
    letGo();
    expect(await again.rest()).toEqual(await first.rest());
    expect(told(again.events)).toEqual(['started', 'text so far and on', 'completed STOP']);
  });

  it('goes on though the first one was lost', async () => {
    const ask = await question();
    const { written, letGo } = held('so far', ' and on');
    endpoint.answersOnce(written);
    const lost = await Answer.to(parley, ask).heard('so far');
    lost.leave();
    const again = await Answer.to(parley, ask).heard('so far');
    letGo();
    expect(told(await again.rest())).toEqual(['started', 'text so far and on', 'completed STOP']);
  });

  it('by many at once happens once', async () => {
    const ask = await question();
    const asked = endpoint.requests.length;
    const answers = await Promise.all(numbers(1, 12).map(() => chat(parley, ask)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(endpoint.requests).toHaveLength(asked + 1);
    expect(await seqsOf(parley, ask.sessionId)).toEqual([1, 2]);
  });

  it('is answered though another run answers by now', async () => {
    const ask = await question();
    const first = await chat(parley, ask);
    const { written, letGo } = held('another');
    endpoint.answersOnce(written);
    const other = await Answer.to(parley, { ...ask, requestId: newId() }).heard('another');
    expect(await chat(parley, ask)).toEqual(first);
    letGo();
    await other.rest();
  });

  it('is answered though it would be refused by now', async () => {
    const ask = await question();
    const first = await chat(parley, ask);
    await parley.configs.updateConfigs({ sessionId: ask.sessionId, configs: { temperature: 'hot' } });
    expect(await refusal(chat(parley, { ...ask, requestId: newId() }))).toMatch('SETTINGS_INVALID');
    expect(await chat(parley, ask)).toEqual(first);
  });

  it('is answered though its turns are gone', async () => {
    const ask = await question();
    const first = await chat(parley, ask);
    await parley.chat.clearHistory({ sessionId: ask.sessionId });
    expect(await chat(parley, ask)).toEqual(first);
    expect(await seqsOf(parley, ask.sessionId)).toEqual([]);
  });

  it('that was refused at first is answered', async () => {
    const ask = await question();
    await parley.configs.updateConfigs({ sessionId: ask.sessionId, configs: { temperature: 'hot' } });
    expect(await refusal(chat(parley, ask))).toMatch('SETTINGS_INVALID');
    await parley.configs.updateConfigs({ sessionId: ask.sessionId, configs: {} });
    expect(told(await chat(parley, ask))).toContain('completed STOP');
  });

  it('without messages answers once too', async () => {
    const ask = { ...(await question(2)), messages: [] };
    const first = await chat(parley, ask);
    expect(await chat(parley, ask)).toEqual(first);
    await say(parley, ask.sessionId, 'more');
    expect(await chat(parley, ask)).toEqual(first);
  });
});

describe('a request_id', () => {
  it('with another question is REQUEST_ID_REUSED, also while the first one is answered', async () => {
    const ask = await question();
    const { written, letGo } = held('so far');
    endpoint.answersOnce(written);
    const first = await Answer.to(parley, ask).heard('so far');
    const others = [
      { messages: [{ content: 'other' }] },
      { generation: { temperature: 1 } },
      { participantId: 'x' },
    ];
    const reused = 'INVALID_ARGUMENT REQUEST_ID_REUSED';
    for (const other of others) expect(await refusal(chat(parley, { ...ask, ...other }))).toBe(reused);
    letGo();
    await first.rest();
    for (const other of others) expect(await refusal(chat(parley, { ...ask, ...other }))).toBe(reused);
    expect(await seqsOf(parley, ask.sessionId)).toEqual([1, 2]);
  });

  it('counts for one session and one method', async () => {
    const ask = await question();
    await parley.chat.appendTurns(ask);
    expect(told(await chat(parley, ask))).toContain('completed STOP');
    const other = await sessionWith(parley, 0);
    expect(told(await chat(parley, { ...ask, sessionId: other }))).toContain('completed STOP');
    expect(await seqsOf(parley, ask.sessionId)).toEqual([1, 2, 3]);
  });
});
