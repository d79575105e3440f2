import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Part } from '../../src/chat/content.ts';
import type { Role } from '../../src/chat/turns.ts';
import type { Generation, PromptMessage } from '../../src/models/model.ts';
import { OpenAiModel } from '../../src/models/openai.ts';
import { ask, HELLO, KEY } from './asking.ts';
import { startEndpoint } from './endpoint.ts';

/** The body an endpoint gets. */
async function sent(messages: readonly PromptMessage[], generation: Partial<Generation> = {}) {
  const endpoint = await startEndpoint();
  await ask(endpoint, { messages, generation });
  return endpoint.requests[0]!.body;
}

async function messagesSent(...messages: PromptMessage[]) {
  return (await sent(messages)).messages;
}

function message(role: Role, ...parts: Part[]): PromptMessage {
  return { role, name: '', parts };
}

function said(text: string): Part {
  return { kind: 'text', text };
}

function result(toolCallId: string, content: string, isError = false): Part {
  return { kind: 'toolResult', toolCallId, name: 'now', content, isError };
}

function call(id: string, text: string): Part {
  return { kind: 'toolCall', id, name: 'now', arguments: text };
}

const PIXEL = Buffer.from('iVBORw0KGgo=', 'base64');

describe('a prompt', () => {
  it('goes to the endpoint with the key, as JSON that asks for a stream and its usage', async () => {
    const endpoint = await startEndpoint();
    await ask(endpoint, { generation: { model: 'llama3.1:8b' } });
    const [{ body, headers }] = endpoint.requests as [(typeof endpoint.requests)[0]];
    expect(headers.authorization).toBe(`Bearer ${KEY}`);
    expect(headers['content-type']).toBe('application/json');
    expect(body).toEqual({
      model: 'llama3.1:8b',
      messages: [{ role: 'user', content: 'hello' }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('goes with a placeholder where there is no key, whatever the environment holds', async () => {
    for (const name of ['OPENAI_API_KEY', 'OPENAI_ADMIN_KEY', 'OPENAI_BASE_URL']) vi.stubEnv(name, 'x');
    onTestFinished(() => void vi.unstubAllEnvs());
    const endpoint = await startEndpoint();
    const model = new OpenAiModel({ baseUrl: `${endpoint.url}/`, apiKey: undefined }, () => {});
    await Array.fromAsync(model.answer(HELLO, { model: 'a' }, new AbortController().signal));
    expect(endpoint.requests[0]!.headers.authorization).toBe('Bearer none');
  });

  it('keeps who says what', async () => {
    expect(
      await messagesSent(
        { role: 'SYSTEM', name: '', parts: [said('Be brief.'), said('Be kind.')] },
        { role: 'USER', name: 'ada', parts: [said('Hi')] },
        { role: 'ASSISTANT', name: 'bot', parts: [said('Hel'), said('lo')] },
        { role: 'USER', name: '', parts: [said('one'), said('two')] },
      ),
    ).toEqual([
      { role: 'system', content: 'Be brief.\n\nBe kind.' },
      { role: 'user', content: 'Hi', name: 'ada' },
      { role: 'assistant', content: 'Hello', name: 'bot' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
        ],
      },
    ]);
  });

  it('shows pictures, by address or by their bytes', async () => {
    const images: Part[] = [
      { kind: 'image', source: { uri: 'https://a/b.png' }, mimeType: '', name: '' },
      { kind: 'image', source: { data: PIXEL }, mimeType: 'image/webp', name: '' },
      { kind: 'image', source: { data: new Uint8Array(PIXEL) }, mimeType: '', name: '' },
    ];
    expect(await messagesSent(message('USER', said('Look:'), ...images))).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look:' },
          { type: 'image_url', image_url: { url: 'https://a/b.png' } },
          { type: 'image_url', image_url: { url: 'data:image/webp;base64,iVBORw0KGgo=' } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
        ],
      },
    ]);
  });

  it('hands files over, and names those that are elsewhere', async () => {
    const files: Part[] = [
      { kind: 'file', source: { data: Buffer.from('hi') }, mimeType: 'application/pdf', name: 'a.pdf' },
      { kind: 'file', source: { data: Buffer.from('hi') }, mimeType: '', name: '' },
      { kind: 'file', source: { uri: 'https://a/b.pdf' }, mimeType: '', name: 'b.pdf' },
    ];
    expect((await messagesSent(message('USER', ...files)))[0].content).toEqual([
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
      { type: 'file', file: { filename: 'file', file_data: 'data:application/octet-stream;base64,aGk=' } },
      { type: 'text', text: '[file b.pdf https://a/b.pdf]' },
    ]);
    expect((await messagesSent(message('ASSISTANT', said('Here: '), files[2]!)))[0].content).toBe(
      'Here: [file b.pdf https://a/b.pdf]',
    );
  });

  it('has tool calls and, right after them, a message for each result', async () => {
    expect(
      await messagesSent(
        message('ASSISTANT', { kind: 'reasoning', text: 'Hm.' }, call('a', '{"x":1}'), call('b', '')),
        message('TOOL', result('a', 'noon'), said('The clock is old.')),
        message('TOOL', result('b', 'no clock', true)),
        message('USER', said('So?')),
      ),
    ).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'now', arguments: '{"x":1}' } },
          { id: 'b', type: 'function', function: { name: 'now', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: 'noon' },
      { role: 'tool', tool_call_id: 'b', content: 'Error: no clock' },
      { role: 'user', content: 'The clock is old.' },
      { role: 'user', content: 'So?' },
    ]);
  });

  it('leaves out the arguments of a call that broke off in them', async () => {
    const [{ tool_calls }] = await messagesSent(message('ASSISTANT', said('Well'), call('a', '{"x":')));
    expect(tool_calls[0].function.arguments).toBe('{}');
  });

  it('says a refusal as text, and thoughts not at all', async () => {
    expect(
      await messagesSent(
        message('USER', said('a')),
        message('ASSISTANT', { kind: 'reasoning', text: 'Hm.' }, { kind: 'refusal', text: 'No.' }),
        message('ASSISTANT', { kind: 'reasoning', text: 'Hm.' }),
      ),
    ).toEqual([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'No.' },
    ]);
  });

  it('has no message with nothing in it', async () => {
    expect(
      await messagesSent(
        message('SYSTEM', said('')),
        message('USER', said(''), said('a')),
        message('ASSISTANT'),
        message('TOOL'),
      ),
    ).toEqual([{ role: 'user', content: 'a' }]);
  });
});

describe('how to answer', () => {
  it('goes as it is said, and what is not said does not go', async () => {
    const body = await sent(HELLO, {
      temperature: 0,
      topP: 0.5,
      maxTokens: 10,
      seed: 7,
      presencePenalty: -1,
      frequencyPenalty: 2,
      stop: ['END'],
      responseFormat: { type: 'json_object' },
      toolChoice: 'auto',
    });
    const { messages, model, stream, stream_options, ...rest } = body;
    expect(rest).toEqual({
      temperature: 0,
      top_p: 0.5,
      max_tokens: 10,
      seed: 7,
      presence_penalty: -1,
      frequency_penalty: 2,
      stop: ['END'],
      response_format: { type: 'json_object' },
    });
    expect(await sent(HELLO, { stop: [], tools: [] })).toEqual({ messages, model, stream, stream_options });
  });

  it.each([
    ['o1', 'max_completion_tokens'],
    ['o3-mini', 'max_completion_tokens'],
    ['o4-mini-2025-04-16', 'max_completion_tokens'],
    ['gpt-5', 'max_completion_tokens'],
    ['gpt-5.1-codex', 'max_completion_tokens'],
    ['openai/gpt-5-nano', 'max_completion_tokens'],
    ['gpt-4o', 'max_tokens'],
    ['gpt-oss:20b', 'max_tokens'],
    ['llama3.1:8b', 'max_tokens'],
    ['olmo-2', 'max_tokens'],
  ])('says to %s by %s how long to be', async (model, field) => {
    const body = await sent(HELLO, { model, maxTokens: 10 });
    expect(Object.keys(body).filter((key) => key.startsWith('max_'))).toEqual([field]);
    expect(body[field]).toBe(10);
  });

  it.each([
    [undefined, undefined],
    ['auto', 'auto'],
    ['none', 'none'],
    ['required', 'required'],
    ['now', { type: 'function', function: { name: 'now' } }],
  ])('names tools, and with %s which to take', async (toolChoice, expected) => {
    const schema = { type: 'object', properties: { zone: { type: 'string' } } };
    const body = await sent(HELLO, {
      toolChoice,
      tools: [
        { name: 'now', description: 'Tells the time.', parameters: schema },
        { name: 'here', description: '', parameters: undefined },
      ],
    });
    expect(body.tools).toEqual([
      { type: 'function', function: { name: 'now', description: 'Tells the time.', parameters: schema } },
      { type: 'function', function: { name: 'here', parameters: { type: 'object', properties: {} } } },
    ]);
    expect(body.tool_choice).toEqual(expected);
  });
});
