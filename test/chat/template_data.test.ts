import { afterAll, expect, test } from 'vitest';
import { templateData } from '../../src/chat/template_data.ts';
import { firstParticipants, unbound } from '../../src/sessions/participants.ts';
import { TemplateRenderer } from '../../src/templates/renderer.ts';
import { aSession } from '../session_fixture.ts';
import { aRequester } from '../templates/requester.ts';

const templates = new TemplateRenderer();
afterAll(() => templates.close());

const AT = Date.parse('2026-11-22T21:50:07.500Z') * 1000;
const ACTIVITY = {
  updateTime: AT,
  lastTurnSeq: 7,
  turnCount: 5,
  turnsBy: undefined,
  learntBy: undefined,
  activeRunId: '',
  summary: '',
  summarizedSeq: 0,
  documentCount: 0,
};

const participants = firstParticipants(
  { userId: 'zoe', agentId: 'ada' },
  [
    {
      participantId: 'ada',
      kind: 'AGENT',
      displayName: 'Ada',
      instructions: 'a secret',
      settings: { temperature: 0.5 },
    },
    { participantId: 'bob', kind: 'USER', displayName: 'Bob', instructions: '', settings: {} },
  ],
  AT,
);
const session = aSession({
  sessionId: 's1',
  participants,
  createTime: AT,
  ttl: 60_000,
  metadata: { tags: ['vip'], nothing: null },
  data: JSON.parse('{"__proto__": {"polluted": true}, "count": 3}'),
});

test('a template sees a session as the API tells it', () => {
  const data = templateData({ session, activity: ACTIVITY }, participants[1], AT);
  expect(data).toMatchObject({
    session: {
      namespace: 'default',
      session_id: 's1',
      user_id: 'zoe',
      agent_id: 'ada',
      last_turn_seq: 7,
      turn_count: 5,
      create_time: '2026-11-22T21:50:07Z',
      expire_time: '2026-11-22T21:51:07Z',
    },
    configs: {},
    agent: { participant_id: 'ada', kind: 'AGENT', display_name: 'Ada', settings: { temperature: 0.5 } },
    user: { participant_id: 'zoe', kind: 'USER' },
    now: '2026-11-22T21:50:07Z',
  });
  expect(JSON.stringify(data)).not.toContain('a secret');
});

test('who left is not there, and nobody is null', () => {
  const left = { ...session, participants: unbound(unbound(participants, 'zoe', 1, AT), 'bob', 1, AT) };
  const data = templateData({ session: left, activity: ACTIVITY }, undefined, AT);
  expect(data).toMatchObject({ user: null, agent: null, session: { user_id: '' } });
  expect(data.participants).toHaveLength(1);
});

test('and renders it', async () => {
  const data = templateData({ session, activity: ACTIVITY }, participants[1], AT);
  const template =
    '{{ agent.display_name }} for {% for p in participants if p.kind == "USER" %}{{ p.participant_id }} {% endfor %}' +
    '{{ metadata.tags[0] }} {{ data["__proto__"].polluted }} {{ data.polluted }}{{ data.count + 1 }}';
  expect(await templates.render(template, data, 'situation', aRequester())).toBe(
    'Ada for zoe bob vip true 4',
  );
});
