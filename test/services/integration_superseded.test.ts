/** What happens to a session while a model thinks about it: then nothing it says is written. */
import { describe, expect, it } from 'vitest';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { refusal } from '../refusal.ts';
import { Answer, held, told, useEndpoint } from './answers.ts';
import { everyTurn, insightsOf, integrated, learnt, sessionOf } from './insights.ts';
import { getSession, say, seqsOf } from './turns.ts';

const { parley, endpoint } = useEndpoint();

/** Integrates, with `change` made while the model thinks about the first agent. */
async function during(
  sessionId: string,
  change: () => Promise<unknown>,
  ask: { requestId?: string } = {},
): Promise<string[]> {
  const answer = held('', '{"insights": [{"text": "too late", "evidence": [1]}]}');
  endpoint.answers(everyTurn);
  endpoint.answersOnce(answer.written);
  const before = endpoint.requests.length;
  const events = integrated(parley, { sessionId, ...ask });
  events.catch(() => {});
  await expect.poll(() => endpoint.requests.length, { interval: 10, timeout: 10_000 }).toBe(before + 1);
  await change();
  answer.letGo();
  return events;
}

function bind(sessionId: string, participantId: string) {
  const participant = { participantId, kind: ParticipantKind.AGENT, displayName: 'Anew' };
  return parley.sessions.bindParticipant({ sessionId, participant });
}

describe('an integration under way writes nothing for an agent', () => {
  it('once the session was truncated; the next agent has nothing left to learn', async () => {
    const sessionId = await sessionOf(parley, 2, 'bot', 'owl');
    expect(await during(sessionId, () => parley.sessions.truncateSession({ sessionId }))).toEqual([
      'started bot owl',
      'bot 1-2 failed INTEGRATION_SUPERSEDED',
      'owl skipped',
      'completed',
    ]);
    expect(await learnt(parley, sessionId)).toBe('bot: 0 through 0, owl: 0 through 0');
    expect(await insightsOf(parley, sessionId)).toEqual([]);
  });

  it('once the session was truncated and the same was said again', async () => {
    const sessionId = await sessionOf(parley, 2, 'bot');
    const change = async () => {
      await parley.sessions.truncateSession({ sessionId });
      await say(parley, sessionId, 'anew');
    };
    expect(await during(sessionId, change)).toContain('bot 1-2 failed INTEGRATION_SUPERSEDED');
    expect(await integrated(parley, { sessionId })).toContain('bot 3-3: They said anew (3)');
  });

  it('once the history was cleared or rewound; what was learnt before stays', async () => {
    for (const toSeq of [0, 3]) {
      const sessionId = await sessionOf(parley, 2, 'bot');
      endpoint.answers(everyTurn);
      await integrated(parley, { sessionId });
      await say(parley, sessionId, 'three', 'four');
      const change = () =>
        toSeq === 0
          ? parley.chat.clearHistory({ sessionId })
          : parley.chat.rewindHistory({ sessionId, toSeq });
      expect(await during(sessionId, change)).toContain('bot 3-4 failed INTEGRATION_SUPERSEDED');
      expect(await learnt(parley, sessionId)).toBe('bot: 2 through 2');
      expect(await insightsOf(parley, sessionId)).toHaveLength(2);
    }
  });

  it('once the agent was unbound, also when it is back', async () => {
    const sessionId = await sessionOf(parley, 1, 'bot', 'owl');
    const unbind = () => parley.sessions.unbindParticipant({ sessionId, participantId: 'bot' });
    expect(await during(sessionId, unbind)).toEqual([
      'started bot owl',
      'bot 1-1 failed INTEGRATION_SUPERSEDED',
      'owl 1-1: They said 1 (1)',
      'completed',
    ]);
    await bind(sessionId, 'bot');
    const change = async () => {
      await unbind();
      await bind(sessionId, 'bot');
    };
    expect(await during(sessionId, change)).toContain('bot 1-1 failed INTEGRATION_SUPERSEDED');
    expect(await learnt(parley, sessionId)).toBe('bot: 0 through 0, owl: 1 through 1');
  });

  it('that was unbound before its turn came', async () => {
    const sessionId = await sessionOf(parley, 1, 'bot', 'owl');
    const unbind = () => parley.sessions.unbindParticipant({ sessionId, participantId: 'owl' });
    expect(await during(sessionId, unbind)).toEqual([
      'started bot owl',
      'bot 1-1: too late (1)',
      'owl 0-0 failed INTEGRATION_SUPERSEDED',
      'completed',
    ]);
  });

  it('of a session that is deleted, purged, or another by now, and says so', async () => {
    const remove = (permanent: boolean) => async () => {
      const sessionId = await sessionOf(parley, 1, 'bot');
      const call = during(sessionId, () => parley.sessions.deleteSession({ sessionId, permanent }));
      return { sessionId, ended: await refusal(call) };
    };
    const deleted = await remove(false)();
    expect(deleted.ended).toBe('FAILED_PRECONDITION SESSION_DELETED');
    await parley.sessions.undeleteSession(deleted);
    expect(await learnt(parley, deleted.sessionId)).toBe('bot: 0 through 0');
    expect((await remove(true)()).ended).toBe('NOT_FOUND SESSION_NOT_FOUND');
    const sessionId = await sessionOf(parley, 1, 'bot');
    const change = async () => {
      await parley.sessions.deleteSession({ sessionId, permanent: true });
      await parley.sessions.createSession({ sessionId, session: { agentId: 'bot' } });
      await say(parley, sessionId, '1');
    };
    expect(await refusal(during(sessionId, change))).toBe('ABORTED INTEGRATION_IN_PROGRESS');
    expect(await learnt(parley, sessionId)).toBe('bot: 0 through 0');
  });
});

describe('an integration under way counts all the same', () => {
  it('when more is said, the agent is bound anew, or the session is edited', async () => {
    const sessionId = await sessionOf(parley, 2, 'bot');
    const change = async () => {
      await say(parley, sessionId, 'three');
      await bind(sessionId, 'bot');
      await parley.sessions.updateSession({ sessionId, session: { displayName: 'Edited' } });
      await parley.configs.updateConfigs({ sessionId, configs: { a: 1 } });
    };
    expect(await during(sessionId, change)).toEqual(['started bot', 'bot 1-2: too late (1)', 'completed']);
    expect(await learnt(parley, sessionId)).toBe('bot: 1 through 2');
    expect(await integrated(parley, { sessionId })).toContain('bot 3-3: They said three (3)');
  });
});

describe('TruncateSession', () => {
  it('takes what was learnt with it in its one step, and keeps who took part', async () => {
    const sessionId = await sessionOf(parley, 2, 'bot', 'owl');
    await parley.sessions.unbindParticipant({ sessionId, participantId: 'owl' });
    await bind(sessionId, 'owl');
    endpoint.answers(everyTurn);
    await integrated(parley, { sessionId });
    await parley.sessions.unbindParticipant({ sessionId, participantId: 'owl' });
    expect(await learnt(parley, sessionId)).toBe('bot: 2 through 2, owl: 2 through 2');
    const { session } = await parley.sessions.truncateSession({ sessionId });
    expect(session!.participants).toMatchObject([
      { participantId: 'ann' },
      { participantId: 'bot', turnCount: 0, integratedSeq: 0, insightCount: 0 },
    ]);
    expect(await getSession(parley, sessionId)).toEqual(session);
    expect(await learnt(parley, sessionId)).toBe('bot: 0 through 0, owl: 0 through 0');
    expect(await insightsOf(parley, sessionId)).toEqual([]);
    await say(parley, sessionId, 'anew');
    expect(await integrated(parley, { sessionId })).toContain('bot 3-3: They said anew (3)');
    expect(await learnt(parley, sessionId)).toBe('bot: 1 through 3, owl: 0 through 0');
  });

  it('while an answer is being made cancels it, and nothing of it is kept', async () => {
    const sessionId = await sessionOf(parley, 2, 'bot');
    const answer = held('so far', ' and no further');
    endpoint.answersOnce(answer.written);
    const events = Answer.to(parley, { sessionId, messages: [{ content: 'Well?' }] });
    await events.heard('so far');
    const { session } = await parley.sessions.truncateSession({ sessionId });
    expect(session).toMatchObject({ turnCount: 0, lastTurnSeq: 0, activeRunId: '' });
    answer.letGo();
    expect(told(await events.rest()).at(-1)).toBe('cancelled');
    expect(await seqsOf(parley, sessionId)).toEqual([]);
    expect((await getSession(parley, sessionId)).participants.map(({ turnCount }) => turnCount)).toEqual([
      0, 0,
    ]);
    endpoint.answers(everyTurn);
    expect((await say(parley, sessionId, 'anew')).turns[0]!.seq).toBe(4);
  });
});

describe('ClearHistory and RewindHistory', () => {
  it('leave what was learnt alone, and what is said next is new', async () => {
    const sessionId = await sessionOf(parley, 5, 'bot');
    endpoint.answers(everyTurn);
    await integrated(parley, { sessionId });
    await parley.chat.rewindHistory({ sessionId, toSeq: 2 });
    expect(await integrated(parley, { sessionId })).toContain('bot skipped');
    await say(parley, sessionId, 'six');
    expect(await integrated(parley, { sessionId })).toContain('bot 6-6: They said six (6)');
    await parley.chat.clearHistory({ sessionId });
    await say(parley, sessionId, 'seven');
    expect(await integrated(parley, { sessionId })).toContain('bot 7-7: They said seven (7)');
    expect(await learnt(parley, sessionId)).toBe('bot: 7 through 7');
  });
});
