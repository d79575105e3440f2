import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import type { Role } from '../../gen/parley/v1/content_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';
import { frame, rawCall, rawRefusal } from '../rpc/wire.ts';
import { slowestWhile } from './bystander.ts';
import { getSession, type MessageInit, type PartInit, sessionWith, turnsOf } from './turns.ts';

const parley = useParley();

/** Fails when anything of a call that is made meanwhile is written. */
async function unwritten(call: (sessionId: string) => Promise<string>): Promise<string> {
  const sessionId = await sessionWith(parley, 0);
  const before = await getSession(parley, sessionId);
  const answer = await call(sessionId);
  expect(await turnsOf(parley, sessionId)).toEqual([]);
  expect(await getSession(parley, sessionId)).toEqual(before);
  return answer;
}

function refused(...messages: MessageInit[]): Promise<string> {
  return unwritten((sessionId) => refusal(parley.chat.appendTurns({ sessionId, messages })));
}

const text = (value: string): PartInit => ({ content: { case: 'text', value } });
const image = (value: object): PartInit => ({ content: { case: 'image', value } });
const file = (value: object): PartInit => ({ content: { case: 'file', value } });
const call = (value: object): PartInit => ({ content: { case: 'toolCall', value } });
const result = (value: object): PartInit => ({ content: { case: 'toolResult', value } });
const uri = (value: string) => ({ source: { case: 'uri' as const, value } });

describe('a message is refused, and the field named,', () => {
  it.each<[string, MessageInit, string]>([
    ['without content', {}, ''],
    ['of one empty text', { parts: [text('')] }, ''],
    ['of empty texts', { parts: [text(''), text('')], metadata: { a: 1 } }, ''],
    ['whose role nobody knows', { content: 'x', role: 9 as Role }, '.role'],
    ['whose role is negative', { content: 'x', role: -1 as Role }, '.role'],
    ['of somebody whose id is none', { content: 'x', participantId: 'a b' }, '.participant_id'],
    ['of 101 parts', { parts: Array(101).fill(text('x')) }, '.parts'],
    ['whose metadata is no JSON', { content: 'x', metadata: { a: Number.NaN } }, '.metadata["a"]'],
    ['whose metadata is large', { content: 'x', metadata: { a: 'x'.repeat(65_536) } }, '.metadata'],
    ['with an image by no address', { parts: [image(uri(''))] }, '.parts[0].image.uri'],
    ['with an endless address', { parts: [file(uri('é'.repeat(4097)))] }, '.parts[0].file.uri'],
    [
      'with a long media type',
      { parts: [image({ ...uri('x'), mimeType: 'x'.repeat(256) })] },
      '.parts[0].image.mime_type',
    ],
    [
      'with a long name',
      { parts: [text('x'), file({ ...uri('x'), name: 'x'.repeat(257) })] },
      '.parts[1].file.name',
    ],
    ['with a call without id', { parts: [call({ name: 'f' })] }, '.parts[0].tool_call.id'],
    ['with a call of nothing', { parts: [call({ id: 'c' })] }, '.parts[0].tool_call.name'],
    [
      'with a call whose id is long',
      { parts: [call({ id: 'c'.repeat(257), name: 'f' })] },
      '.parts[0].tool_call.id',
    ],
    [
      'with the result of no call',
      { parts: [result({ content: 'x' })] },
      '.parts[0].tool_result.tool_call_id',
    ],
    [
      'with the result of a tool of a long name',
      { content: 'x', parts: [text('x'), result({ toolCallId: 'c', name: 'f'.repeat(257) })] },
      '.parts[1].tool_result.name',
    ],
  ])('%s', async (_, bad, path) => {
    expect(await refused(bad)).toBe(`INVALID_ARGUMENT FIELD_INVALID messages[0]${path}`);
    const good = { content: 'good' };
    expect(await refused(good, good, bad, good)).toBe(`INVALID_ARGUMENT FIELD_INVALID messages[2]${path}`);
  });

  it('with a part that says nothing', async () => {
    const answer = await refused({ content: 'x', parts: [text('a'), {}] });
    expect(answer).toMatch(/^INVALID_ARGUMENT FIELD_INVALID messages\[0\]\.parts\[1\]/);
  });

  it('with an image or a file from nowhere', async () => {
    for (const [kind, part] of [
      ['image', image({})],
      ['file', file({ name: 'x' })],
    ] as const) {
      const answer = await refused({ content: 'x', parts: [part] });
      expect(answer).toMatch(`INVALID_ARGUMENT FIELD_INVALID messages[0].parts[0].${kind}`);
    }
  });

  it('beside every other that is wrong', async () => {
    const [one, two] = [
      { content: 'x', role: 9 as Role },
      { content: 'x', participantId: '-' },
    ];
    expect(await refused(one, { content: 'x' }, two)).toBe(
      'INVALID_ARGUMENT FIELD_INVALID messages[0].role messages[2].participant_id',
    );
  });
});

it('a message may be as long as its limits', async () => {
  const sessionId = await sessionWith(parley, 0);
  const id = '😀'.repeat(256);
  const parts = [
    image({ ...uri(`x${'é'.repeat(4095)}`), mimeType: 'x'.repeat(255), name: id }),
    call({ id, name: id }),
    result({ toolCallId: id, name: id }),
  ];
  await parley.chat.appendTurns({ sessionId, messages: [{ parts, metadata: { a: 'x'.repeat(65_500) } }] });
  expect((await turnsOf(parley, sessionId))[0]!.parts).toMatchObject(parts);
});

describe('a call is refused', () => {
  it('with no message, and with 1,001', async () => {
    expect(await refused()).toBe('INVALID_ARGUMENT FIELD_INVALID messages');
    expect(await refused(...Array(1001).fill({ content: 'x' }))).toBe(
      'INVALID_ARGUMENT FIELD_INVALID messages',
    );
  });

  it('under a request_id that is none', async () => {
    const sessionId = await sessionWith(parley, 0);
    const ask = { sessionId, requestId: 'é' };
    const messages = [{ content: 'x' }];
    for (const answer of [
      parley.chat.appendTurns({ ...ask, messages }),
      parley.chat.clearHistory(ask),
      parley.chat.rewindHistory(ask),
      parley.sessions.truncateSession(ask),
      parley.sessions.forkSession(ask),
    ])
      expect(await refusal(answer)).toBe('INVALID_ARGUMENT FIELD_INVALID request_id');
  });
});

/** A length-delimited field. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish();
}

/** AppendTurns, byte by byte: these are its messages. */
function append(messages: Uint8Array): Promise<string> {
  return unwritten((sessionId) => {
    const request = frame(Buffer.concat([field(2, Buffer.from(sessionId)), messages]));
    return rawRefusal(rawCall(parley.port, '/parley.v1.ChatService/AppendTurns', request));
  });
}

function message(...fields: Uint8Array[]): Uint8Array {
  return field(3, Buffer.concat(fields));
}

const CONTENT = field(3, Buffer.from('good'));
const NO_UTF8 = Buffer.from([0x61, 0xc3, 0x28]);

describe('bytes that are no UTF-8 are refused', () => {
  it.each([
    ['in the content', field(3, NO_UTF8)],
    ['in a text', field(4, field(1, NO_UTF8))],
    ['in reasoning', field(4, field(6, NO_UTF8))],
    ['in the name of a file', field(4, field(3, Buffer.concat([field(2, Buffer.of(1)), field(4, NO_UTF8)])))],
    ['in a lone surrogate', field(3, Buffer.from([0xed, 0xa0, 0x80]))],
    ['in an overlong zero', field(3, Buffer.from([0xc0, 0x80]))],
    ['in a character cut off', field(3, Buffer.from([0xf0, 0x9f, 0x98]))],
    [
      'in metadata',
      field(5, field(1, Buffer.concat([field(1, NO_UTF8), field(2, field(3, Buffer.of(0x61)))]))),
    ],
  ])('%s', async (_, bytes) => {
    expect(await append(Buffer.concat([message(CONTENT), message(CONTENT, bytes)]))).toMatch(
      /^INVALID_ARGUMENT /,
    );
  });

  it('but not in data', async () => {
    const sessionId = await sessionWith(parley, 0);
    const source = { case: 'data' as const, value: Uint8Array.from(NO_UTF8) };
    await parley.chat.appendTurns({ sessionId, messages: [{ parts: [image({ source })] }] });
    expect((await turnsOf(parley, sessionId))[0]!.parts).toMatchObject([image({ source })]);
  });
});

describe('a flood is refused at once, and nobody else is held up:', () => {
  const times = (count: number, bytes: Uint8Array) => Buffer.alloc(count * bytes.length, bytes);
  const emptyPart = field(4, Buffer.alloc(0));
  const emptyText = field(4, field(1, Buffer.alloc(0)));
  const list = field(2, field(6, times(300_000, Buffer.from([0x0a, 0x00]))));

  it.each<[string, Uint8Array, RegExp]>([
    ['a million empty parts', message(times(1_000_000, emptyPart)), /messages\[0\]\.parts$/],
    ['half a million empty texts', message(times(500_000, emptyText)), /messages\[0\]\.parts$/],
    [
      'a million empty parts after two good messages',
      Buffer.concat([message(CONTENT), message(CONTENT), message(times(1_000_000, emptyPart))]),
      /messages\[2\]\.parts$/,
    ],
    [
      'a thousand messages of a thousand empty parts',
      times(1000, message(times(1000, emptyPart))),
      /messages\[0\]/,
    ],
    [
      'a thousand messages of a hundred empty parts',
      times(1000, message(times(100, emptyPart))),
      /messages\[0\]/,
    ],
    ['a thousand empty messages', times(1000, message()), /messages\[0\]/],
    ['a million empty messages', times(1_000_000, message()), /messages$/],
    [
      'metadata of a list of 300,000 nothings',
      message(CONTENT, field(5, field(1, Buffer.concat([field(1, Buffer.from('k')), list])))),
      /messages\[0\]\.metadata/,
    ],
  ])('%s', async (_, messages, path) => {
    const bystander = await sessionWith(parley, 0);
    const sent = append(messages);
    expect(await slowestWhile(sent, () => getSession(parley, bystander))).toBeLessThan(1500);
    const answer = await sent;
    expect(answer).toMatch(/^INVALID_ARGUMENT FIELD_INVALID /);
    expect(answer).toMatch(path);
  });

  it('a thousand messages of a hundred parts each, which is allowed', async () => {
    const sessionId = await sessionWith(parley, 0);
    const messages = Array(1000).fill({ parts: Array(100).fill(text('x')) });
    const { turns } = await parley.chat.appendTurns({ sessionId, messages });
    expect(turns).toHaveLength(1000);
    expect(turns.at(-1)!.parts).toHaveLength(100);
  });
});

it('what is refused leaves its request_id free', async () => {
  const ask = { sessionId: newId(), requestId: newId() };
  await parley.sessions.createSession(ask);
  expect(await refusal(parley.chat.appendTurns({ ...ask, messages: [{}] }))).toMatch('FIELD_INVALID');
  const { turns } = await parley.chat.appendTurns({ ...ask, messages: [{ content: 'x' }] });
  expect(turns).toHaveLength(1);
});
