import type { MessageInitShape } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import type { GetContextResponse } from '../../gen/parley/v1/chat_service_pb.ts';
import { type MessageSchema, Role } from '../../gen/parley/v1/content_pb.ts';
import { ContextOverflow, ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { text } from '../models/endpoint.ts';
import { getSession } from '../services/turns.ts';
import { type ChatAsk, chat } from './chat_listener.ts';
import { newSession, type Server, type Stage, setStage } from './chat_stage.ts';
import { messagesOnWire } from './chat_wire.ts';

type MessageInit = MessageInitShape<typeof MessageSchema>;

const BUDGET = 2000;

const TOOLS = [
  {
    name: 'look_up',
    description: 'Looks something up – „überall“.',
    parameters: { type: 'object', properties: { what: { type: 'string' } }, required: ['what'] },
  },
  { name: 'now', description: '' },
];

const ASK = {
  messages: [{ content: 'And what now, 🦜?' }],
  generation: { tools: TOOLS, toolChoice: 'auto' },
};

it('where nothing is left out the endpoint gets, byte for byte, what GetContext says', async () => {
  const stage = await setStage();
  const sessionId = await session(stage.one, { contextOverflow: ContextOverflow.ADAPTIVE });
  await stage.one.chat.appendTurns({ sessionId, messages: exchange(1) });
  const context = await contextOf(stage.two, { ...ASK, sessionId });
  expect(context.omittedTurns).toBe(0);
  const [sent] = await answeredBy(stage, { ...ASK, sessionId });
  expect(sent!.text).toContain(`"messages":${messagesOnWire(context.messages)}`);
  expect(sent!.body.messages.slice(0, 2)).toEqual([
    { role: 'system', content: 'You sit in Ava\'s <kitchen> & it is a "mess"; 3 pans.' },
    { role: 'system', content: 'You are Cook. Tone: dry. {{ not this }}' },
  ]);
  expect(sent!.body.tools).toHaveLength(2);
});

it('where old turns are dropped the endpoint gets, byte for byte, what GetContext says', async () => {
  const stage = await setStage();
  const sessionId = await longSession(stage.one, ContextOverflow.TRUNCATE);
  const ask = { ...ASK, sessionId };
  const context = await contextOf(stage.two, ask);
  expect(context.omittedTurns).toBeGreaterThan(100);
  expect(context.tokenCount).toBeLessThanOrEqual(BUDGET);
  expect(context.tokenBudget).toBe(BUDGET);
  const [sent, ...more] = await answeredBy(stage, ask);
  expect(more).toEqual([]);
  expect(sent!.text).toContain(`"messages":${messagesOnWire(context.messages)}`);

  // And so does the other process with the next one, which has the answer before it.
  const next = { sessionId, messages: [{ content: 'Go on.' }] };
  const later = await contextOf(stage.one, next);
  const [answered] = await answeredBy({ ...stage, one: stage.two }, next);
  expect(answered!.text).toContain(`"messages":${messagesOnWire(later.messages)}`);
  expect(answered!.text).toContain('As you wish.');
});

it('what is summarised once is stored on the session, and told again, byte for byte as GetContext says', async () => {
  const stage = await setStage({ PARLEY_SUMMARY_MODEL: 'summary-model' });
  const sessionId = await longSession(stage.one, ContextOverflow.SUMMARIZE);
  const [first, ...rest] = await answeredBy(stage, { ...ASK, sessionId });
  expect(first!.body.model).toBe('summary-model');
  expect(rest.at(-1)!.body.model).toBe('test-model');
  const { summary } = await getSession(stage.two, sessionId);
  expect(summary).toBe('They cooked – „viel“.');
  expect(rest.at(-1)!.text).toContain(JSON.stringify(summary).slice(1, -1));

  for (const server of [stage.two, stage.one]) {
    const next = { sessionId, messages: [{ content: 'Go on.' }] };
    const context = await contextOf(stage.one, next);
    expect(context.summarizedThroughSeq).toBeGreaterThan(100);
    expect(context.tokenCount).toBeLessThanOrEqual(BUDGET);
    const [sent, ...more] = await answeredBy({ ...stage, one: server }, next);
    expect(more).toEqual([]); // nobody was asked for another summary
    expect(sent!.text).toContain(`"messages":${messagesOnWire(context.messages)}`);
    expect(sent!.text).toContain(JSON.stringify(summary).slice(1, -1));
  }
});

function contextOf({ chat }: Server, ask: ChatAsk): Promise<GetContextResponse> {
  const { sessionId, messages, generation } = ask;
  return chat.getContext({ sessionId: sessionId!, messages: messages!, generation: generation! });
}

/** What the endpoint was asked for one answer. */
async function answeredBy({ endpoint, one }: Pick<Stage, 'endpoint' | 'one'>, ask: ChatAsk) {
  const before = endpoint.requests.length;
  endpoint.answers(({ body }) =>
    text(body.model === 'summary-model' ? 'They cooked – „viel“.' : 'As you wish.'),
  );
  const listener = chat(one, ask);
  expect([await listener.over, listener.last]).toEqual(['OK', 'completed']);
  return endpoint.requests.slice(before);
}

/** A session with all that goes into a prompt besides what is said. */
async function session(server: Server, more: Parameters<typeof newSession>[1]): Promise<string> {
  return newSession(server, {
    renderTemplates: true,
    situation:
      'You sit in {{ user.display_name }}\'s <{{ data.place }}> & it is a "mess"; {{ data.pans }} pans.',
    data: { place: 'kitchen', pans: 3 },
    configs: { temperature: 0.5, tone: 'dry' },
    tokenBudget: BUDGET,
    participants: [
      { participantId: 'ava@home', kind: ParticipantKind.USER, displayName: 'Ava' },
      {
        participantId: 'cook',
        kind: ParticipantKind.AGENT,
        displayName: 'Cook',
        instructions: "You are {{ agent.display_name }}. Tone: {{ configs.tone }}. {{ '{{ not this }}' }}",
      },
    ],
    ...more,
  });
}

async function longSession(server: Server, contextOverflow: ContextOverflow): Promise<string> {
  const sessionId = await session(server, { contextOverflow });
  const messages = Array.from({ length: 60 }, (_, n) => exchange(n)).flat();
  await server.chat.appendTurns({ sessionId, messages });
  return sessionId;
}

/** A question with a picture, two calls of which one is never answered, a result, and an answer. */
function exchange(n: number): MessageInit[] {
  const call = (id: string) => ({
    content: { case: 'toolCall' as const, value: { id, name: 'look_up', arguments: `{"what": "pan ${n}"}` } },
  });
  const image = {
    case: 'image' as const,
    value: { source: { case: 'uri' as const, value: `https://a.test/${n}.png` } },
  };
  return [
    {
      participantId: 'ava@home',
      content: `What of pan ${n}? {{ user }} – „so“ 🍳`,
      parts: [{ content: image }],
    },
    { role: Role.ASSISTANT, participantId: 'cook', parts: [call(`call-${n}-a`), call(`call-${n}-b`)] },
    {
      role: Role.TOOL,
      parts: [
        {
          content: {
            case: 'toolResult',
            value: {
              toolCallId: `call-${n}-a`,
              name: 'look_up',
              content: `pan ${n} is "hot"\n`,
              isError: n % 2 === 0,
            },
          },
        },
      ],
    },
    { role: Role.ASSISTANT, participantId: 'cook', content: `Pan ${n} is hot. ${'Very. '.repeat(n % 7)}` },
  ];
}
