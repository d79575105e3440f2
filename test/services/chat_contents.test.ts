import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import type { GenerationSchema } from '../../gen/parley/v1/chat_service_pb.ts';
import { Role } from '../../gen/parley/v1/content_pb.ts';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import type { JsonObject } from '../../src/structs/json.ts';
import { delta, ending, text } from '../models/endpoint.ts';
import { chat, chatAbout, leftTurn, told, useEndpoint } from './answers.ts';
import { sessionWith, turnsOf } from './turns.ts';

const { parley, endpoint } = useEndpoint();
type GenerationInit = MessageInitShape<typeof GenerationSchema>;

describe('an answer', () => {
  it('thinks first: what it thinks comes in pieces, is kept, and is not sent back', async () => {
    endpoint.answersOnce([
      delta({ reasoning_content: 'hm' }),
      delta({ reasoning_content: ', so' }),
      delta({ content: 'Yes' }),
      ...ending(),
    ]);
    const sessionId = await sessionWith(parley, 0);
    const events = await chat(parley, { sessionId, messages: [{ content: 'really?' }] });
    expect(told(events)).toEqual(['started', 'reasoning hm, so', 'text Yes', 'completed STOP']);
    expect(leftTurn(events)!.parts.map(({ content }) => content)).toEqual([
      { case: 'reasoning', value: 'hm, so' },
      { case: 'text', value: 'Yes' },
    ]);
    await chatAbout(parley, sessionId, 'sure?');
    expect(endpoint.requests.at(-1)!.body.messages).toEqual([
      { role: 'user', content: 'really?' },
      { role: 'assistant', content: 'Yes' },
      { role: 'user', content: 'sure?' },
    ]);
  });

  it('is a refusal, which is a completed answer', async () => {
    endpoint.answersOnce([delta({ refusal: 'I would ' }), delta({ refusal: 'rather not' }), ...ending()]);
    const sessionId = await sessionWith(parley, 0);
    const events = await chat(parley, { sessionId, messages: [{ content: 'do' }] });
    expect(told(events)).toEqual(['started', 'refusal I would rather not', 'completed STOP']);
    expect(leftTurn(events)!.parts[0]!.content).toEqual({ case: 'refusal', value: 'I would rather not' });
  });

  it('has the usage that the endpoint tells', async () => {
    endpoint.answersOnce([delta({ content: 'a' }), ...ending('stop', [123, 45])]);
    const events = await chat(parley, { sessionId: await sessionWith(parley, 1) });
    const usage = { inputTokens: 123, outputTokens: 45, totalTokens: 168 };
    expect(events.at(-1)!.event.value).toMatchObject({ usage, turn: { usage } });
  });

  it('has none when the endpoint does not', async () => {
    endpoint.answersOnce([delta({ content: 'a' }, 'stop')]);
    const events = await chat(parley, { sessionId: await sessionWith(parley, 1) });
    expect(told(events)).toEqual(['started', 'text a', 'completed STOP']);
    expect(leftTurn(events)!.usage).toBeUndefined();
    expect(events.at(-1)!.event.value).not.toHaveProperty('usage');
  });
});

describe('what is said', () => {
  it('reaches the endpoint: the situation, who speaks, pictures by address and in person', async () => {
    const participants = [
      { participantId: 'ann', kind: ParticipantKind.USER },
      { participantId: 'bot', kind: ParticipantKind.AGENT, instructions: 'Be brief.' },
    ];
    const situation = 'A shop.';
    const sessionId = await sessionWith(parley, 0, { situation, participants: participants as never });
    const image = (source: { case: 'uri'; value: string } | { case: 'data'; value: Uint8Array }) => ({
      content: { case: 'image' as const, value: { source, mimeType: 'image/jpeg' } },
    });
    await chat(parley, {
      sessionId,
      messages: [
        {
          participantId: 'ann',
          content: 'Look',
          parts: [
            image({ case: 'uri', value: 'https://example.org/a.jpg' }),
            image({ case: 'data', value: Uint8Array.of(1, 2, 3) }),
          ],
        },
      ],
    });
    const { messages } = endpoint.requests.at(-1)!.body;
    expect(messages[0]).toMatchObject({ role: 'system' });
    expect(messages.map(({ role }: { role: string }) => role).at(-1)).toBe('user');
    expect(JSON.stringify(messages)).toMatch(/A shop\..*Be brief\./);
    expect(messages.at(-1).content).toEqual([
      { type: 'text', text: 'Look' },
      { type: 'image_url', image_url: { url: 'https://example.org/a.jpg' } },
      { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,AQID' } },
    ]);
  });

  it('is rendered where the session says so, and never what a user says', async () => {
    const sessionId = await sessionWith(parley, 0, {
      situation: 'A shop in {{ configs.city }}.',
      renderTemplates: true,
      configs: { city: 'Ulm' },
    });
    await chatAbout(parley, sessionId, '{{ configs.city }}');
    expect(endpoint.requests.at(-1)!.body.messages).toEqual([
      { role: 'system', content: 'A shop in Ulm.' },
      { role: 'user', content: '{{ configs.city }}' },
    ]);
  });

  it('keeps its roles', async () => {
    const sessionId = await sessionWith(parley, 0);
    const roles = [Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.USER];
    await chat(parley, { sessionId, messages: roles.map((role, n) => ({ role, content: `${n}` })) });
    expect(endpoint.requests.at(-1)!.body.messages).toEqual([
      { role: 'system', content: '0' },
      { role: 'user', content: '1' },
      { role: 'assistant', content: '2' },
      { role: 'user', content: '3' },
    ]);
  });
});

describe('how to answer', () => {
  const parameters = { type: 'object', properties: { at: { type: 'string' } } };
  const configs: JsonObject = {
    model: 'of-configs',
    temperature: 0.1,
    top_p: 0.1,
    max_tokens: 10,
    theme: 'dark',
  };
  const settings: JsonObject = { model: 'of-agent', temperature: 0.2, top_p: 0.2 };

  async function sent(layers: { configs?: JsonObject; settings?: JsonObject; generation?: GenerationInit }) {
    const agent = { participantId: 'bot', kind: ParticipantKind.AGENT, settings: layers.settings };
    const sessionId = await sessionWith(parley, 0, {
      ...(layers.configs && { configs: layers.configs }),
      participants: layers.settings ? [agent as never] : [],
    });
    endpoint.answersOnce(text('ok'));
    const { generation } = layers;
    const events = await chat(parley, {
      sessionId,
      messages: [{ content: 'x' }],
      ...(generation && { generation }),
    });
    const { messages, stream, stream_options, ...body } = endpoint.requests.at(-1)!.body;
    expect(events[0]!.event.value).toMatchObject({ model: body.model });
    expect((await turnsOf(parley, sessionId)).at(-1)!.model).toBe(body.model);
    return body;
  }

  it('is left to the endpoint where nobody says, but for the model', async () => {
    expect(await sent({})).toEqual({ model: 'test' });
    expect(await sent({ configs: { theme: 'dark' } })).toEqual({ model: 'test' });
  });

  it('is said by the configs, over them by the agent, over it by the question', async () => {
    expect(await sent({ configs })).toEqual({
      model: 'of-configs',
      temperature: 0.1,
      top_p: 0.1,
      max_tokens: 10,
    });
    const agents = { model: 'of-agent', temperature: 0.2, top_p: 0.2, max_tokens: 10 };
    expect(await sent({ configs, settings })).toEqual(agents);
    const generation = { model: 'of-question', temperature: 0 };
    expect(await sent({ configs, settings, generation })).toEqual({
      ...agents,
      model: 'of-question',
      temperature: 0,
    });
  });

  it('can be said in full', async () => {
    const generation = {
      model: 'm',
      temperature: 0,
      topP: 0.5,
      maxTokens: 7,
      seed: -3n,
      presencePenalty: -1,
      frequencyPenalty: 1,
      stop: ['a', 'b'],
      responseFormat: { type: 'json_object' },
      toolChoice: 'look',
      tools: [{ name: 'look', description: 'Looks.', parameters }, { name: 'wait' }],
    };
    expect(await sent({ generation })).toEqual({
      model: 'm',
      temperature: 0,
      top_p: 0.5,
      max_tokens: 7,
      seed: -3,
      presence_penalty: -1,
      frequency_penalty: 1,
      stop: ['a', 'b'],
      response_format: { type: 'json_object' },
      tool_choice: { type: 'function', function: { name: 'look' } },
      tools: [
        { type: 'function', function: { name: 'look', description: 'Looks.', parameters } },
        { type: 'function', function: { name: 'wait', parameters: { type: 'object', properties: {} } } },
      ],
    });
  });

  it('can be echo', async () => {
    const asked = endpoint.requests.length;
    const sessionId = await sessionWith(parley, 0, { configs: { model: 'echo' } });
    expect(await chatAbout(parley, sessionId, 'anybody?')).toEqual([
      'started',
      'text anybody?',
      'completed STOP',
    ]);
    expect(endpoint.requests).toHaveLength(asked);
  });
});
