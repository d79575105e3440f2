import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import canonicalize from 'canonicalize';
import { describe, expect, it } from 'vitest';
import { PatchMode } from '../../gen/parley/v1/configs_service_pb.ts';
import { ParticipantKind } from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { refusal } from '../refusal.ts';

const parley = useParley();
const USER = ParticipantKind.USER;

/** Every field of a request that is a Struct, by its path. */
const FIELDS: Record<string, (sessionId: string, value: JsonObject) => Promise<unknown>> = {
  'session.metadata': (_, metadata) => parley.sessions.createSession({ session: { metadata } }),
  'session.configs': (_, configs) => parley.sessions.createSession({ session: { configs } }),
  'session.data': (_, data) => parley.sessions.createSession({ session: { data } }),
  'session.participants[1].settings': (_, settings) => {
    const participants = [
      { participantId: 'a', kind: USER },
      { participantId: 'b', kind: USER, settings },
    ];
    return parley.sessions.createSession({ session: { participants } });
  },
  metadata_patch: (sessionId, metadataPatch) => parley.sessions.updateSession({ sessionId, metadataPatch }),
  data_patch: (sessionId, dataPatch) => parley.sessions.updateSession({ sessionId, dataPatch }),
  'participant.settings': (sessionId, settings) =>
    parley.sessions.bindParticipant({ sessionId, participant: { participantId: 'a', kind: USER, settings } }),
  'messages[1].metadata': (sessionId, metadata) =>
    parley.chat.appendTurns({ sessionId, messages: [{ content: 'a' }, { content: 'b', metadata }] }),
  configs: (sessionId, configs) => parley.configs.updateConfigs({ sessionId, configs }),
  metadata_filter: (_, metadataFilter) => parley.sessions.listSessions({ metadataFilter }),
  filter_by_configs: (_, filterByConfigs) => parley.sessions.listSessions({ filterByConfigs }),
};

/** So many containers inside each other, the root included. */
function nested(depth: number, inner: (value: JsonValue) => JsonValue): JsonObject {
  let value: JsonValue = {};
  for (let level = 2; level < depth; level++) value = inner(value);
  return { a: value };
}

const cases = Object.entries(FIELDS).map(([field, send]) => ({ field, send }));

describe.each(cases)('$field', ({ field, send }) => {
  async function sent(value: JsonObject): Promise<string> {
    const { session } = await parley.sessions.createSession({});
    return refusal(send(session!.sessionId, value));
  }

  it('takes 32 nested containers and refuses 33, saying where', async () => {
    const { session } = await parley.sessions.createSession({});
    for (const inner of [(value: JsonValue) => ({ b: value }), (value: JsonValue) => [value]]) {
      await send(session!.sessionId, nested(32, inner));
      const text = await sent(nested(33, inner));
      expect(text.startsWith(`INVALID_ARGUMENT FIELD_INVALID ${field}["a"]`), text).toBe(true);
    }
  });

  it('refuses more than 64 KiB', async () => {
    expect(await sent({ a: 'x'.repeat(65_536) })).toBe(`INVALID_ARGUMENT FIELD_INVALID ${field}`);
    const { session } = await parley.sessions.createSession({});
    await send(session!.sessionId, { a: 'x'.repeat(65_500) });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'refuses %d, saying where',
    async (number) => {
      expect(await sent({ ok: 1, '"': [{ '': number }] })).toBe(
        `INVALID_ARGUMENT FIELD_INVALID ${field}["\\""][0][""]`,
      );
    },
  );
});

/** Nothing of these may mean anything to anybody on the way. */
const HOSTILE: JsonObject = JSON.parse(`{
  "": 0, ".": {"": {"": []}}, "$": [null, {"$": "$"}], "$..*": 1, "*": "*", "__proto__": {"__proto__": {"polluted": true}},
  "constructor": {"prototype": {"polluted": true}}, "toString": "x", "toJSON": {"a": null}, "hasOwnProperty": null,
  "x} | @ns:{other}": "x} | @ns:{other}", "q\\"x": "\\"", "back\\\\slash": "\\\\", "a\\u0000b": "\\u0000", "\\n\\r\\t": "\\u2028",
  "😀": "👩‍👩‍👧", "é": "e\\u0301", "tokens": ["a"], "etag": "x", "10": 1, "9": 2
}`);
const NUMBERS: JsonObject = Object.fromEntries(
  [
    0,
    -0,
    1,
    -1,
    0.1,
    1 / 3,
    1e21,
    1e-7,
    2 ** 53,
    2 ** 53 + 2,
    -(2 ** 63),
    2 ** 64,
    1e300,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
  ].map((number, index) => [`n${index}`, number]),
);

describe.each([
  ['hostile keys', HOSTILE],
  ['numbers', NUMBERS],
  ['nulls and empties', { a: null, b: [], c: {}, d: [null, [], {}], e: '', f: false }],
])('%s', (_, value) => {
  it('come back as they went in, from every RPC that has them', async () => {
    const namespace = newId();
    const ask = { namespace, sessionId: newId() };
    const participants = [{ participantId: 'p', kind: USER, settings: value }];
    const session = { metadata: value, configs: value, data: value, participants };
    const answers = [
      (await parley.sessions.createSession({ ...ask, session, requestId: 'r' })).session,
      (await parley.sessions.createSession({ ...ask, session, requestId: 'r' })).session,
      (await parley.sessions.getSession(ask)).session,
      ...(await parley.sessions.batchGetSessions({ namespace, sessionIds: [ask.sessionId] })).sessions,
      ...(await parley.sessions.listSessions({ namespace, metadataFilter: value, filterByConfigs: value }))
        .sessions,
    ];
    expect(answers).toHaveLength(5);
    for (const {
      metadata,
      configs,
      data,
      participants: [participant],
    } of answers.map((answer) => answer!))
      for (const got of [metadata, configs, data, participant!.settings]) same(got, value);
    const listed = await parley.sessions.listParticipants(ask);
    same(listed.participants[0]!.settings, value);
    const { revisions } = await parley.configs.listConfigsRevisions(ask);
    same(revisions[0]!.configs, value);
    for await (const { event } of parley.configs.watchConfigs(ask)) {
      if (event.case === 'revision') same(event.value.configs, value);
      break;
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('can be patched in, found equal, and deleted', async () => {
    for (const mode of [PatchMode.SHALLOW, PatchMode.DEEP]) {
      const { session } = await parley.sessions.createSession({ session: { configs: {} } });
      const { sessionId } = session!;
      const patched = await parley.configs.patchConfigs({ sessionId, configs: value, mode });
      const updated = await parley.configs.updateConfigs({ sessionId, configs: patched.configs! });
      expect(updated.revision).toBe(patched.revision);
      const keys = Object.keys(patched.configs!);
      const nulls = Object.fromEntries(keys.map((key) => [key, null]));
      expect((await parley.configs.patchConfigs({ sessionId, configs: nulls, mode })).configs).toEqual({});
    }
  });
});

/** Canonical JSON sees own keys of any name; `toEqual` sees the sign of a zero. */
function same(got: JsonObject | undefined, value: JsonObject): void {
  expect(canonicalize(got)).toBe(canonicalize(value));
  expect(got).toEqual(value);
}
