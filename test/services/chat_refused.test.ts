import { describe, expect, it } from 'vitest';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { delta } from '../models/endpoint.ts';
import { failure, refusal, resource, summary } from '../refusal.ts';
import { Answer, type ChatAsk, chat, chatAbout, held, useEndpoint } from './answers.ts';
import { getSession, say, seqsOf, sessionWith } from './turns.ts';

const parley = useParley();
const HELLO = [{ content: 'hello' }];

/** Refused, and nothing came of it: neither a turn nor a run. */
async function refused(ask: ChatAsk): Promise<string> {
  const before = await getSession(parley, ask.sessionId!);
  const why = await refusal(chat(parley, { messages: HELLO, ...ask }));
  expect(await getSession(parley, ask.sessionId!)).toEqual(before);
  return why;
}

describe('a question is refused, and nothing is appended,', () => {
  it('when there is no such session, here or in another namespace', async () => {
    const sessionId = await sessionWith(parley, 1);
    const error = await failure(chat(parley, { sessionId: newId(), messages: HELLO }));
    expect(summary(error)).toBe('NOT_FOUND SESSION_NOT_FOUND');
    const elsewhere = { namespace: newId(), sessionId, messages: HELLO };
    expect(await refusal(chat(parley, elsewhere))).toBe('NOT_FOUND SESSION_NOT_FOUND');
    expect(await seqsOf(parley, sessionId)).toEqual([1]);
  });

  it('when the session is deleted', async () => {
    const sessionId = await sessionWith(parley, 1);
    await parley.sessions.deleteSession({ sessionId });
    const why = await refusal(chat(parley, { sessionId, messages: HELLO }));
    expect(why).toBe('FAILED_PRECONDITION SESSION_DELETED');
    await parley.sessions.undeleteSession({ sessionId });
    expect(await seqsOf(parley, sessionId)).toEqual([1]);
  });

  it.each<[field: string, ask: ChatAsk]>([
    ['messages[1]', { messages: [{ content: 'a' }, {}] }],
    ['messages[0].role', { messages: [{ role: 99 as never, content: 'a' }] }],
    ['participant_id', { participantId: 'a b' }],
    ['request_id', { requestId: 'é' }],
    ['concurrency', { concurrency: 9 as never }],
    ['on_disconnect', { onDisconnect: 9 as never }],
    ['generation.temperature', { generation: { temperature: 2.1 } }],
    ['generation.temperature', { generation: { temperature: Number.NaN } }],
    ['generation.top_p', { generation: { topP: -0.1 } }],
    ['generation.max_tokens', { generation: { maxTokens: 0 } }],
    ['generation.seed', { generation: { seed: 2n ** 60n } }],
    ['generation.presence_penalty', { generation: { presencePenalty: 3 } }],
    ['generation.frequency_penalty', { generation: { frequencyPenalty: Number.POSITIVE_INFINITY } }],
    ['generation.stop', { generation: { stop: ['a', 'b', 'c', 'd', 'e'] } }],
    ['generation.stop[1]', { generation: { stop: ['a', ''] } }],
    ['generation.model', { generation: { model: 'm'.repeat(257) } }],
    ['generation.tool_choice', { generation: { toolChoice: 'nobody' } }],
    ['generation.tool_choice', { generation: { toolChoice: 'required' } }],
    ['generation.tools[0].name', { generation: { tools: [{ name: 'look up' }] } }],
    ['generation.tools[1].name', { generation: { tools: [{ name: 'look' }, { name: 'look' }] } }],
    ['generation.response_format["x"]', { generation: { responseFormat: { x: Number.NaN } } }],
  ])('when %s is wrong', async (field, ask) => {
    const sessionId = await sessionWith(parley, 1);
    expect(await refused({ sessionId, ...ask })).toBe(`INVALID_ARGUMENT FIELD_INVALID ${field}`);
  });

  it('when the session id is wrong', async () => {
    const why = await refusal(chat(parley, { sessionId: 'a b', messages: HELLO }));
    expect(why).toBe('INVALID_ARGUMENT FIELD_INVALID session_id');
  });

  it('when who is to answer is not there, is there no more, or is a user', async () => {
    const participants = [
      { participantId: 'ann', kind: ParticipantKind.USER },
      { participantId: 'bot', kind: ParticipantKind.AGENT },
    ];
    const sessionId = await sessionWith(parley, 0, { participants: participants as never });
    const error = await failure(chat(parley, { sessionId, participantId: 'eve', messages: HELLO }));
    expect(summary(error)).toBe('NOT_FOUND PARTICIPANT_NOT_FOUND');
    expect(resource(error)).toBe('parley.v1.Participant eve');
    expect(await refused({ sessionId, participantId: 'ann' })).toBe(
      'INVALID_ARGUMENT FIELD_INVALID participant_id',
    );
    expect(await chat(parley, { sessionId, participantId: 'bot', messages: HELLO })).not.toEqual([]);
    await parley.sessions.unbindParticipant({ sessionId, participantId: 'bot' });
    expect(await refused({ sessionId, participantId: 'bot' })).toBe('NOT_FOUND PARTICIPANT_NOT_FOUND');
  });

  it('when a setting in configs is none, or one of the participant', async () => {
    const sessionId = await sessionWith(parley, 0, { configs: { temperature: 'hot' } });
    const configs = 'FAILED_PRECONDITION SETTINGS_INVALID configs.temperature';
    expect(await refused({ sessionId })).toBe(configs);
    expect(await chat(parley, { sessionId, messages: HELLO, generation: { temperature: 1 } })).not.toEqual(
      [],
    );
    const participant = { participantId: 'bot', kind: ParticipantKind.AGENT, settings: { max_tokens: 0 } };
    await parley.sessions.bindParticipant({ sessionId, participant });
    expect(await refused({ sessionId, generation: { temperature: 1 } })).toBe(
      'FAILED_PRECONDITION SETTINGS_INVALID participants["bot"].settings.max_tokens',
    );
  });

  it('when it does not fit', async () => {
    const sessionId = await sessionWith(parley, 1, { tokenBudget: 64 });
    const messages = [{ content: 'too much '.repeat(100) }];
    expect(await refused({ sessionId, messages })).toBe('FAILED_PRECONDITION CONTEXT_OVERFLOW');
    const situated = await sessionWith(parley, 1, {
      tokenBudget: 64,
      situation: 'far too much '.repeat(100),
    });
    expect(await refused({ sessionId: situated })).toBe('FAILED_PRECONDITION CONTEXT_OVERFLOW');
  });

  it('when a template fails on what it is given', async () => {
    const situation = '{{ configs.name | length }}{{ configs.missing.deeper }}';
    const sessionId = await sessionWith(parley, 1, { situation, renderTemplates: true });
    expect(await refused({ sessionId })).toBe('FAILED_PRECONDITION TEMPLATE_INVALID session.situation');
    const { rawMessage } = await failure(chat(parley, { sessionId, messages: HELLO }));
    expect(rawMessage).toMatch(/^session\.situation/);
    await parley.sessions.updateSession({
      sessionId,
      session: { renderTemplates: false },
      updateMask: { paths: ['render_templates'] },
    });
    expect(await chatAbout(parley, sessionId, 'hello')).toContain('completed STOP');
  });
});

describe('while another run answers', () => {
  const { parley, endpoint } = useEndpoint();

  it('a question is refused, which names the run, and asks nobody', async () => {
    const sessionId = await sessionWith(parley, 0);
    const { written, letGo } = held('so far');
    endpoint.answersOnce(written);
    const answer = await Answer.to(parley, { sessionId, messages: HELLO }).heard('so far');
    const asked = endpoint.requests.length;
    const error = await failure(chat(parley, { sessionId, messages: [{ content: 'and?' }] }));
    expect(summary(error)).toBe('ABORTED RUN_IN_PROGRESS');
    expect(resource(error)).toBe(`parley.v1.Run ${answer.runId}`);
    expect(await seqsOf(parley, sessionId)).toEqual([1]);
    expect(endpoint.requests).toHaveLength(asked);
    letGo();
    await answer.rest();
    expect(await chatAbout(parley, sessionId, 'and now?')).toContain('completed STOP');
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3, 4]);
  });

  it('the session takes turns, which the answer comes after', async () => {
    const sessionId = await sessionWith(parley, 0);
    const { written, letGo } = held('so far');
    endpoint.answersOnce(written);
    const answer = await Answer.to(parley, { sessionId, messages: HELLO }).heard('so far');
    expect((await getSession(parley, sessionId)).activeRunId).toBe(answer.runId);
    await say(parley, sessionId, 'in between');
    letGo();
    const [last] = (await answer.rest()).slice(-1);
    expect(last!.event.value).toMatchObject({ turn: { seq: 3 } });
    expect(await seqsOf(parley, sessionId)).toEqual([1, 2, 3]);
    expect((await getSession(parley, sessionId)).activeRunId).toBe('');
  });

  it('another session answers', async () => {
    const { written, letGo } = held('so far');
    endpoint.answersOnce(written);
    const first = await sessionWith(parley, 0);
    const answer = await Answer.to(parley, { sessionId: first, messages: HELLO }).heard('so far');
    endpoint.answersOnce([delta({ content: 'me too' }, 'stop')]);
    expect(await chatAbout(parley, await sessionWith(parley, 0), 'x')).toEqual([
      'started',
      'text me too',
      'completed STOP',
    ]);
    letGo();
    await answer.rest();
  });
});
