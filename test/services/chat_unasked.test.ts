import { describe, expect, it } from 'vitest';
import { delta, hanging, refusal as refuses, text } from '../models/endpoint.ts';
import { Answer, chat, getRun, statusOf, told, useEndpoint } from './answers.ts';
import { Follower, getSession, seqs, seqsOf, sessionWith, turnsFrom } from './turns.ts';

const { parley, endpoint } = useEndpoint();

describe('an answer to nothing new, after turns were removed,', () => {
  it('that says nothing leaves the log as it was', async () => {
    const sessionId = await sessionWith(parley, 5);
    await parley.chat.rewindHistory({ sessionId, toSeq: 3 });
    const before = await getSession(parley, sessionId);
    const follower = new Follower(parley, { sessionId });
    expect(await follower.catchUp()).toEqual([...turnsFrom(1, 3), 'caught up']);
    endpoint.answersOnce(refuses(400));
    expect(told(await chat(parley, { sessionId }))).toEqual(['started', 'failed MODEL_REFUSED']);

    const { lastTurnSeq, turnCount } = await getSession(parley, sessionId);
    expect([lastTurnSeq, turnCount]).toEqual([before.lastTurnSeq, before.turnCount]);
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3]);
    const { turns } = await parley.chat.appendTurns({
      sessionId,
      messages: [{ content: 'on' }],
      expectedLastSeq: 3,
    });
    expect(seqs(turns)).toEqual([6]);
    expect(await follower.take(1)).toEqual(['turn 6']);
    follower.cancel();
  });

  it('comes after those that are left', async () => {
    const sessionId = await sessionWith(parley, 5);
    await parley.chat.rewindHistory({ sessionId, toSeq: 3 });
    endpoint.answersOnce(text('Well then.'));
    expect(told(await chat(parley, { sessionId }))).toContain('text Well then.');
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3, 6]);
  });

  it('is cancelled when the history is cleared, though there is none', async () => {
    const sessionId = await sessionWith(parley, 0, { situation: 'Greet whoever comes.' });
    endpoint.answersOnce(hanging([delta({ content: 'Good' })]));
    const answer = await Answer.to(parley, { sessionId }).heard('Good');
    await parley.chat.clearHistory({ sessionId });
    expect(told(await answer.rest())).toEqual(['started', 'text Good', 'cancelled']);
    expect(statusOf(await getRun(parley, sessionId, answer.runId))).toBe('CANCELLED');
    expect(await seqsOf(parley, sessionId)).toEqual([]);
  });

  it('lives when a rewind changes nothing', async () => {
    const sessionId = await sessionWith(parley, 0, { situation: 'Greet whoever comes.' });
    endpoint.answersOnce(hanging([delta({ content: 'Good' })]));
    const answer = await Answer.to(parley, { sessionId }).heard('Good');
    await parley.chat.rewindHistory({ sessionId, toSeq: 0 });
    expect(statusOf(await getRun(parley, sessionId, answer.runId))).toBe('RUNNING');
    await parley.chat.cancelChat({ sessionId, runId: answer.runId });
    await answer.rest();
  });
});
