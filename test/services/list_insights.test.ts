import { describe, expect, it } from 'vitest';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { newId } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { useEndpoint } from './answers.ts';
import { everyTurn, insightsOf, integrated, learnt, sessionOf, teaches } from './insights.ts';
import { numbers, say } from './turns.ts';

const { parley, endpoint } = useEndpoint();
const { AGENT } = ParticipantKind;

/** Two agents who learnt from as many turns. */
async function taught(turns: number): Promise<string> {
  const sessionId = await sessionOf(parley, turns, 'zoe', 'bot');
  endpoint.answers(everyTurn);
  await integrated(parley, { sessionId });
  return sessionId;
}

async function inShort(sessionId: string, participantId?: string, pageSize?: number): Promise<string[]> {
  const insights = await insightsOf(parley, sessionId, participantId, pageSize);
  return insights.map(({ participantId, evidence }) => `${participantId} ${evidence}`);
}

describe('ListInsights', () => {
  it('lists agent by agent as they were bound, the newest first, in pages of any size', async () => {
    const sessionId = await taught(30);
    const bot = numbers(1, 30).map((seq) => `bot ${seq}`);
    const all = [
      ...numbers(1, 30)
        .map((seq) => `zoe ${seq}`)
        .toReversed(),
      ...bot.toReversed(),
    ];
    for (const pageSize of [1000, 60, 30, 7, 1]) {
      expect(await inShort(sessionId, '', pageSize)).toEqual(all);
      expect(await inShort(sessionId, 'bot', pageSize)).toEqual(bot.toReversed());
    }
    const page = await parley.sessions.listInsights({ sessionId });
    expect(page.insights).toHaveLength(50);
    expect((await parley.sessions.listInsights({ sessionId, pageSize: 60 })).nextPageToken).toBe('');
  });

  it('neither skips nor repeats what was there throughout, while more is learnt', async () => {
    const sessionId = await taught(10);
    const first = await parley.sessions.listInsights({ sessionId, pageSize: 4 });
    await say(parley, sessionId, 'eleven');
    await integrated(parley, { sessionId });
    const rest = await parley.sessions.listInsights({
      sessionId,
      pageSize: 16,
      pageToken: first.nextPageToken,
    });
    const seen = [...first.insights, ...rest.insights].map(
      (each) => `${each.participantId} ${each.evidence}`,
    );
    expect(seen.slice(0, 11)).toEqual([
      ...numbers(1, 10)
        .map((seq) => `zoe ${seq}`)
        .toReversed(),
      'bot 11',
    ]);
  });

  it('lists those of an agent that left, and they come back with it', async () => {
    const sessionId = await taught(2);
    await parley.sessions.unbindParticipant({ sessionId, participantId: 'zoe' });
    expect(await inShort(sessionId)).toEqual(['zoe 2', 'zoe 1', 'bot 2', 'bot 1']);
    await say(parley, sessionId, 'three');
    expect(await integrated(parley, { sessionId })).toEqual([
      'started bot',
      'bot 3-3: They said three (3)',
      'completed',
    ]);
    await parley.sessions.bindParticipant({ sessionId, participant: { participantId: 'zoe', kind: AGENT } });
    expect(await learnt(parley, sessionId)).toBe('zoe: 2 through 2, bot: 3 through 3');
    expect(await integrated(parley, { sessionId })).toContain('zoe 3-3: They said three (3)');
  });

  it('of a user is empty, of nobody NOT_FOUND', async () => {
    const sessionId = await taught(1);
    expect(await inShort(sessionId, 'ann')).toEqual([]);
    expect(await refusal(inShort(sessionId, 'eve'))).toBe('NOT_FOUND PARTICIPANT_NOT_FOUND');
    expect(await refusal(inShort(newId()))).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });

  it('refuses a token of another list, or none at all', async () => {
    const [sessionId, other] = [await taught(3), await taught(3)];
    const { nextPageToken: pageToken } = await parley.sessions.listInsights({ sessionId, pageSize: 1 });
    for (const ask of [
      { sessionId: other, pageToken },
      { sessionId, participantId: 'bot', pageToken },
      { sessionId, pageToken: 'x' },
    ]) {
      expect(await refusal(parley.sessions.listInsights(ask))).toBe(
        'INVALID_ARGUMENT PAGE_TOKEN_INVALID page_token',
      );
    }
  });

  it('keeps below what a client takes', async () => {
    const sessionId = await sessionOf(parley, 0, 'bot');
    endpoint.answers(() =>
      teaches(
        ...numbers(1, 50).map((n) => ({ text: `${n} ${'語'.repeat(990)}`, evidence: numbers(1, 3000) })),
      ),
    );
    for (let batch = 0; batch < 30; batch++) {
      await say(parley, sessionId, batch);
      await integrated(parley, { sessionId });
      endpoint.answers(() =>
        teaches(
          ...numbers(1, 50).map((n) => ({
            text: `${batch} ${n} ${'語'.repeat(990)}`,
            evidence: numbers(1, 3000),
          })),
        ),
      );
    }
    const { insights, nextPageToken } = await parley.sessions.listInsights({ sessionId, pageSize: 1000 });
    expect(insights.length).toBeGreaterThan(900);
    expect(nextPageToken).not.toBe('');
    const all = await insightsOf(parley, sessionId);
    expect(new Set(all.map(({ insightId }) => insightId)).size).toBe(1500);
  });
});

describe('what was learnt', () => {
  it('is hidden with its session, comes back with it, and goes with it', async () => {
    const sessionId = await taught(2);
    await parley.sessions.deleteSession({ sessionId });
    expect(await refusal(inShort(sessionId))).toBe('NOT_FOUND SESSION_DELETED');
    await parley.sessions.undeleteSession({ sessionId });
    expect(await inShort(sessionId, 'bot')).toEqual(['bot 2', 'bot 1']);
    await parley.sessions.deleteSession({ sessionId, permanent: true });
    await parley.sessions.createSession({ sessionId, session: { agentId: 'bot' } });
    expect(await inShort(sessionId)).toEqual([]);
    expect(await learnt(parley, sessionId)).toBe('bot: 0 through 0');
  });

  it('is not copied by a fork, which learns for itself', async () => {
    const sessionId = await taught(2);
    const { session } = await parley.sessions.forkSession({ sessionId });
    const copy = session!.sessionId;
    expect(await learnt(parley, copy)).toBe('zoe: 0 through 0, bot: 0 through 0');
    expect(await inShort(copy)).toEqual([]);
    await integrated(parley, { sessionId: copy, participantIds: ['bot'] });
    const [theirs, ours] = [
      await insightsOf(parley, copy, 'bot'),
      await insightsOf(parley, sessionId, 'bot'),
    ];
    expect(theirs.map(({ text }) => text)).toEqual(ours.map(({ text }) => text));
    expect(theirs[0]!.insightId).not.toBe(ours[0]!.insightId);
  });

  it('is another tenant’s business nowhere', async () => {
    const sessionId = await taught(1);
    const call = parley.sessions.listInsights({ namespace: 'other', sessionId });
    expect(await refusal(call)).toBe('NOT_FOUND SESSION_NOT_FOUND');
  });

  it('belongs to agents of any name', async () => {
    const names = ['constructor', 'toString', '1', 'a:b@c.d-e_f', '0'.repeat(128)];
    const sessionId = await sessionOf(parley, 1, ...names);
    await parley.chat.appendTurns({ sessionId, messages: [{ participantId: 'constructor', content: 'x' }] });
    endpoint.answers(everyTurn);
    await integrated(parley, { sessionId });
    expect(await learnt(parley, sessionId)).toBe(names.map((name) => `${name}: 2 through 2`).join(', '));
    expect(await inShort(sessionId, '1')).toEqual(['1 2', '1 1']);
    const { session } = await parley.sessions.forkSession({ sessionId });
    expect(session!.participants.map(({ turnCount }) => turnCount)).toEqual([1, 1, 0, 0, 0, 0]);
  });
});
