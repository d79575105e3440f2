import { create, type JsonObject } from '@bufbuild/protobuf';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PartSchema, Role, type Turn } from '../../gen/parley/v1/content_pb.ts';
import { useParley } from '../harness.ts';
import { forAllAsync } from '../property.ts';
import { anyObject } from '../structs/arbitrary.ts';
import { Follower, type MessageInit, type PartInit, sessionWith, turnsOf } from './turns.ts';

const parley = useParley();

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const ODD =
  '\0\u0001\u007f\u2028 \r\n\t"\\ é e\u0301 👩‍👩‍👧 \u202e \ufeff \ufffd \u{10ffff} <script> {{ x }} %s $1';

/** One part of every kind, each field set. */
const PARTS: Record<string, PartInit['content']> = {
  text: { case: 'text', value: ODD },
  'an image by uri': {
    case: 'image',
    value: { source: { case: 'uri', value: `https://x/${ODD}` }, mimeType: 'image/png', name: ODD },
  },
  'an image by data': {
    case: 'image',
    value: { source: { case: 'data', value: EVERY_BYTE }, mimeType: 'image/png', name: 'a.png' },
  },
  'a file by uri': {
    case: 'file',
    value: { source: { case: 'uri', value: 'file:///a' }, mimeType: '', name: '' },
  },
  'a file by data': {
    case: 'file',
    value: { source: { case: 'data', value: EVERY_BYTE }, mimeType: ODD, name: ODD },
  },
  'a file of no bytes': { case: 'file', value: { source: { case: 'data', value: new Uint8Array() } } },
  'a tool call': { case: 'toolCall', value: { id: 'call_1', name: ODD, arguments: `{"a": 1.0, ${ODD}` } },
  'a tool call without arguments': { case: 'toolCall', value: { id: ODD, name: 'f', arguments: '' } },
  'a tool result': {
    case: 'toolResult',
    value: { toolCallId: 'call_1', name: 'f', content: ODD, isError: true },
  },
  'an empty tool result': { case: 'toolResult', value: { toolCallId: ODD } },
  reasoning: { case: 'reasoning', value: ODD },
  'a refusal': { case: 'refusal', value: ODD },
};

/** What AppendTurns answered with, once ListTurns and FollowTurns were found to say the same. */
async function stored(...messages: MessageInit[]): Promise<Turn[]> {
  const sessionId = await sessionWith(parley, 0);
  const { turns } = await parley.chat.appendTurns({ sessionId, messages });
  expect(await turnsOf(parley, sessionId)).toEqual(turns);
  const follower = new Follower(parley, { sessionId });
  for (const turn of turns) expect((await follower.next()).event).toEqual({ case: 'turn', value: turn });
  follower.cancel();
  return turns;
}

function part(content: PartInit['content']) {
  return create(PartSchema, content ? { content } : {});
}

describe('a part comes back as it went in', () => {
  it.each(Object.entries(PARTS))('%s', async (_, content) => {
    const [turn] = await stored({ parts: [part(content)] });
    expect(turn!.parts).toEqual([part(content)]);
  });

  it('among a hundred others, in order', async () => {
    const parts = Array.from({ length: 9 }, () => Object.values(PARTS))
      .flat()
      .slice(0, 100)
      .map(part);
    expect(parts).toHaveLength(100);
    const [turn] = await stored({ parts });
    expect(turn!.parts).toEqual(parts);
  });

  it('beside an empty text', async () => {
    const parts = [part({ case: 'text', value: '' }), part({ case: 'text', value: 'x' })];
    const [turn] = await stored({ parts });
    expect(turn!.parts).toEqual(parts);
  });
});

/** Nothing of these may mean anything to anybody on the way. */
const HOSTILE: JsonObject = JSON.parse(`{
  "": 0, ".": {"": {"": []}}, "$": [null, {"$": "$"}], "__proto__": {"__proto__": {"polluted": true}},
  "constructor": {"prototype": {"polluted": true}}, "toJSON": {"a": null}, "hasOwnProperty": null,
  "a\\u0000b": "\\u0000", "\\n": "\\u2028", "😀": "👩‍👩‍👧", "é": "e\\u0301", "10": 1, "9": -0, "n": 5e-324
}`);

describe('metadata', () => {
  it('of hostile keys comes back as it went in', async () => {
    const [turn] = await stored({ content: 'x', metadata: HOSTILE });
    expect(canonicalize(turn!.metadata)).toBe(canonicalize(HOSTILE));
    expect(turn!.metadata).toEqual(HOSTILE);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('of one turn is not that of the next, and none is not an empty one', async () => {
    const turns = await stored(
      { content: 'a', metadata: { a: 1 } },
      { content: 'b' },
      { content: 'c', metadata: {} },
      { content: 'd', metadata: { d: null } },
    );
    expect(turns.map(({ metadata }) => metadata)).toEqual([{ a: 1 }, undefined, {}, { d: null }]);
  });
});

const text = fc.string({ unit: 'binary', maxLength: 30 });
const some = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
const media = fc.record({
  source: fc.oneof(
    fc.record({ case: fc.constant('uri' as const), value: some }),
    fc.record({ case: fc.constant('data' as const), value: fc.uint8Array({ maxLength: 40 }) }),
  ),
  mimeType: text,
  name: text,
});
const anyPart: fc.Arbitrary<NonNullable<PartInit['content']>> = fc.oneof(
  fc.record({
    case: fc.constantFrom('text' as const, 'reasoning' as const, 'refusal' as const),
    value: text,
  }),
  fc.record({ case: fc.constantFrom('image' as const, 'file' as const), value: media }),
  fc.record({
    case: fc.constant('toolCall' as const),
    value: fc.record({ id: some, name: some, arguments: text }),
  }),
  fc.record({
    case: fc.constant('toolResult' as const),
    value: fc.record({ toolCallId: some, name: text, content: text, isError: fc.boolean() }),
  }),
);
const anyMessage = fc.record({
  role: fc.constantFrom(Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL),
  participantId: fc.constantFrom('', 'a', 'a.b:c@d-e_f'),
  content: some,
  parts: fc.array(anyPart, { maxLength: 5 }),
  metadata: anyObject,
});

it('whatever is said comes back as it went in, from AppendTurns, ListTurns and FollowTurns alike', async () => {
  await forAllAsync(
    [fc.array(anyMessage, { minLength: 1, maxLength: 4 })],
    async (messages) => {
      const turns = await stored(
        ...messages.map(({ parts, ...rest }) => ({ ...rest, parts: parts.map(part) })),
      );
      expect(turns).toHaveLength(messages.length);
      for (const [at, { content, parts, metadata, ...who }] of messages.entries()) {
        const turn = turns[at]!;
        expect(turn).toMatchObject(who);
        expect(turn.parts).toEqual([part({ case: 'text', value: content }), ...parts.map(part)]);
        expect(canonicalize(turn.metadata)).toBe(canonicalize(metadata));
      }
    },
    60,
  );
});
