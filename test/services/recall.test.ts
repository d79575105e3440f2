import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ContextSource } from '../../gen/parley/v1/chat_service_pb.ts';
import { Role } from '../../gen/parley/v1/content_pb.ts';
import { newId, type Parley, startParley, useParley } from '../harness.ts';
import { embeddings } from '../models/embedding.ts';
import { refusal as refused, startEndpoint } from '../models/endpoint.ts';

const parley = useParley();
const QUESTION = 'What does the beacon on Skerry Rock burn?';
let sessionId: string;

beforeAll(async () => {
  sessionId = newId();
  await plant(parley, sessionId);
});

async function plant({ sessions, documents }: Parley, sessionId: string): Promise<void> {
  await sessions.createSession({ sessionId, session: { situation: 'A quiz.' } });
  const contents = [
    'Sheep graze on the hills.',
    'The beacon on Skerry Rock burns whale oil.',
    'Wool is dear.',
  ];
  for (const [at, content] of contents.entries()) {
    await documents.createDocument({
      sessionId,
      documentId: `d${at}`,
      document: { title: `Page\n${at}`, content },
    });
  }
}

/** The text of what documents are told of in a prompt; undefined when they are not. */
async function recalled(
  { chat }: Parley,
  sessionId: string,
  question = QUESTION,
): Promise<string | undefined> {
  const { messages, tokenCount } = await chat.getContext({ sessionId, messages: [{ content: question }] });
  expect(messages.reduce((sum, message) => sum + message.tokenCount, 3)).toBe(tokenCount);
  const found = messages.filter(({ source }) => source === ContextSource.DOCUMENTS);
  expect(found.length).toBeLessThan(2);
  const part = found[0]?.parts[0];
  return part?.content.case === 'text' ? part.content.value : undefined;
}

it('the passage that answers the newest question is in the context, with its source', async () => {
  const told = await recalled(parley, sessionId);
  expect(told).toContain('[Page 1 (document d1)]\nThe beacon on Skerry Rock burns whale oil.');
  expect(told).not.toContain('Sheep');
});

it('the question may be stored already', async () => {
  const own = newId();
  await plant(parley, own);
  await parley.chat.appendTurns({ sessionId: own, messages: [{ content: 'sheep?' }, { content: QUESTION }] });
  await parley.chat.appendTurns({
    sessionId: own,
    messages: [{ role: Role.ASSISTANT, content: 'Hm, wool.' }],
  });
  const { messages } = await parley.chat.getContext({ sessionId: own });
  expect(JSON.stringify(messages.map(({ parts }) => parts[0]!.content.value))).toContain('whale oil');
});

it('a question nothing goes with recalls nothing', async () => {
  expect(await recalled(parley, sessionId, 'Zebra?')).toBeUndefined();
  expect(await recalled(parley, sessionId, '🤷')).toBeUndefined();
});

it('a session without documents has none, and one whose documents are deleted neither', async () => {
  const own = newId();
  await plant(parley, own);
  for (const documentId of ['d0', 'd1', 'd2'])
    await parley.documents.deleteDocument({ sessionId: own, documentId });
  expect(await recalled(parley, own)).toBeUndefined();
});

it('configs.recall = false turns it off, and anything else does not', async () => {
  const own = newId();
  await plant(parley, own);
  const told = async (recall: boolean | number | null) => {
    await parley.configs.updateConfigs({ sessionId: own, configs: { recall } });
    return (await recalled(parley, own)) !== undefined;
  };
  expect([await told(false), await told(true), await told(0), await told(null)]).toEqual([
    false,
    true,
    true,
    true,
  ]);
});

it('takes a quarter of the budget at most, and is left out where there is no room', async () => {
  const own = newId();
  await parley.sessions.createSession({ sessionId: own, session: { tokenBudget: 1000 } });
  const content = 'The beacon burns whale oil at night. '.repeat(400);
  await parley.documents.createDocument({ sessionId: own, document: { content } });
  await parley.documents.createDocument({ sessionId: own, document: { content: 'A beacon is a fire.' } });
  const ask = async (content: string) => {
    const { messages } = await parley.chat.getContext({ sessionId: own, messages: [{ content }] });
    return messages.find(({ source }) => source === ContextSource.DOCUMENTS)?.tokenCount ?? 0;
  };
  const tokens = await ask('beacon');
  expect(tokens).toBeGreaterThan(10);
  expect(tokens).toBeLessThan(260);
  expect(await ask(`beacon ${'word '.repeat(970)}`)).toBe(0);
});

describe('with an embedding model', () => {
  it('passages are found by their meaning; without its endpoint by their words', async () => {
    const endpoint = await startEndpoint();
    endpoint.embeds(embeddings);
    const own = await startParley({ OPENAI_BASE_URL: endpoint.url, PARLEY_EMBEDDING_MODEL: 'small' });
    onTestFinished(() => own.stop());
    const sessionId = newId();
    await plant(own, sessionId);
    expect(await recalled(own, sessionId, 'pharos')).toContain('whale oil');
    endpoint.embeds(refused(400));
    expect(await recalled(own, sessionId, 'pharos')).toBeUndefined();
    expect(await recalled(own, sessionId)).toContain('whale oil');
    const events = await Array.fromAsync(own.chat.chat({ sessionId, messages: [{ content: QUESTION }] }));
    expect(events.at(-1)!.event!.event.case).toBe('completed');
  });
});
