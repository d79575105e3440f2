import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  type ContextOverflow,
  CreateSessionRequestSchema,
  type TtlPolicy,
} from '../../gen/parley/v1/session_service_pb.ts';
import { newId, useParley } from '../harness.ts';
import { failure, refusal, summary } from '../refusal.ts';
import { frame, rawCall, rawStatus } from '../rpc/wire.ts';

const parley = useParley();

describe('an id', () => {
  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(129)],
    ['begins with a dot', '.a'],
    ['has a space', 'a b'],
    ['has a slash', 'a/b'],
    ['has a brace', 'a}b'],
    ['has a line break at the end', 'a\n'],
    ['is not ASCII', 'é'],
    ['looks like a prototype', '__proto__'],
    ['is a query', 'x} | @ns:{other}'],
  ])('that is %s is refused wherever it is needed', async (_, sessionId) => {
    const calls = [
      parley.sessions.getSession({ sessionId }),
      parley.sessions.updateSession({ sessionId }),
      parley.sessions.deleteSession({ sessionId }),
      parley.sessions.undeleteSession({ sessionId }),
      parley.sessions.listParticipants({ sessionId }),
      parley.sessions.truncateSession({ sessionId }),
      parley.sessions.forkSession({ sessionId }),
      parley.sessions.listInsights({ sessionId }),
      parley.chat.appendTurns({ sessionId, messages: [{ content: 'x' }] }),
      parley.chat.listTurns({ sessionId }),
      parley.chat.clearHistory({ sessionId }),
      parley.chat.rewindHistory({ sessionId }),
      Array.fromAsync(parley.chat.followTurns({ sessionId })),
      parley.configs.getConfigs({ sessionId }),
      parley.configs.patchConfigs({ sessionId }),
      parley.configs.deleteConfigs({ sessionId }),
      parley.configs.listConfigsRevisions({ sessionId }),
      Array.fromAsync(parley.configs.watchConfigs({ sessionId })),
      Array.fromAsync(parley.sessions.integrateSession({ sessionId })),
    ];
    for (const text of await Promise.all(calls.map(refusal)))
      expect(text).toBe('INVALID_ARGUMENT FIELD_INVALID session_id');
  });

  it.each(['-a', 'A', 'a_b', 'a.b', 'x'.repeat(64), 'a\n', 'a/b'])(
    'of a namespace cannot be %j',
    async (namespace) => {
      for (const call of [
        parley.sessions.getSession({ namespace, sessionId: 'a' }),
        parley.sessions.createSession({ namespace }),
        parley.sessions.listSessions({ namespace }),
        parley.sessions.batchGetSessions({ namespace, sessionIds: ['a'] }),
        parley.configs.getConfigs({ namespace, sessionId: 'a' }),
        parley.sessions.forkSession({ namespace, sessionId: 'a' }),
        parley.chat.listTurns({ namespace, sessionId: 'a' }),
        Array.fromAsync(parley.chat.followTurns({ namespace, sessionId: 'a' })),
      ])
        expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID namespace');
    },
  );

  it('of a namespace may be one character or 63', async () => {
    for (const namespace of ['a', '0', `a${'-'.repeat(62)}`])
      await parley.sessions.listSessions({ namespace });
  });
});

describe('a field of a session', () => {
  it.each([
    ['display_name', { displayName: 'x'.repeat(257) }],
    ['user_id', { userId: 'a b' }],
    ['agent_id', { agentId: '-' }],
    ['situation', { situation: 'x'.repeat(65_537) }],
    ['token_budget', { tokenBudget: 10_000_001 }],
    ['context_overflow', { contextOverflow: 9 as ContextOverflow }],
    ['ttl_policy', { ttlPolicy: -1 as TtlPolicy }],
    ['participants[0].participant_id', { participants: [{ kind: 1 as const }] }],
    ['participants[0].kind', { participants: [{ participantId: 'a' }] }],
  ])('%s out of its range is named, on create and on update', async (path, session) => {
    const sessionId = newId();
    await parley.sessions.createSession({ sessionId });
    for (const call of [
      parley.sessions.createSession({ session }),
      parley.sessions.updateSession({ sessionId, session }),
    ])
      expect(await refusal(call)).toBe(`INVALID_ARGUMENT FIELD_INVALID session.${path}`);
  });

  it('is named beside every other that is wrong', async () => {
    const session = { displayName: 'x'.repeat(257), tokenBudget: 4_294_967_295 };
    const error = await failure(parley.sessions.createSession({ namespace: 'NO', session }));
    expect(summary(error)).toBe(
      'INVALID_ARGUMENT FIELD_INVALID namespace session.display_name session.token_budget',
    );
  });

  it('counts characters, not bytes, in a name', async () => {
    await parley.sessions.createSession({ session: { displayName: '😀'.repeat(256) } });
  });
});

it('an etag of more than 128 characters is refused', async () => {
  const ask = { sessionId: newId(), etag: 'x'.repeat(129) };
  for (const call of [parley.sessions.updateSession(ask), parley.configs.patchConfigs(ask)])
    expect(await refusal(call)).toBe('INVALID_ARGUMENT FIELD_INVALID etag');
});

it('a call whose deadline is over leaves no trace', async () => {
  const sessionId = newId();
  const request = toBinary(CreateSessionRequestSchema, create(CreateSessionRequestSchema, { sessionId }));
  const path = '/parley.v1.SessionService/CreateSession';
  const call = rawCall(parley.port, path, frame(request), { 'grpc-timeout': '1n' });
  expect(await rawStatus(call)).toBe(4);
  expect(await refusal(parley.sessions.getSession({ sessionId }))).toBe('NOT_FOUND SESSION_NOT_FOUND');
});
