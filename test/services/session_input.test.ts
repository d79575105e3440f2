import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  ContextOverflow,
  ParticipantKind,
  ParticipantSchema,
  SessionSchema,
  TtlPolicy,
  UpdateSessionRequestSchema,
} from '../../gen/parley/v1/session_service_pb.ts';
import { ParleyError } from '../../src/errors.ts';
import {
  keyOf,
  newParticipant,
  newSession,
  sessionOrder,
  sessionUpdate,
} from '../../src/services/session_input.ts';

type Update = Omit<MessageInitShape<typeof UpdateSessionRequestSchema>, 'updateMask'>;

const EMPTY = {
  displayName: '',
  situation: '',
  renderTemplates: false,
  metadata: {},
  data: {},
  tokenBudget: 0,
  contextOverflow: 'ADAPTIVE',
  ttlPolicy: 'FIXED',
  ttl: undefined,
};

function update(fields: Update, paths?: string[]) {
  const request = { namespace: 'n', sessionId: 's', ...fields, ...(paths && { updateMask: { paths } }) };
  return sessionUpdate(create(UpdateSessionRequestSchema, request as never));
}

/** The field a refusal names, and what it says of it. */
function refusal(work: () => unknown): { field: string; description: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof ParleyError && error.reason === 'FIELD_INVALID') return error.context.fields![0]!;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('an update with a mask', () => {
  it('takes the masked fields, the absent ones empty', () => {
    const session = { displayName: 'name', situation: 'not masked', tokenBudget: 5 };
    expect(update({ session }, ['display_name', 'metadata', 'ttl']).fields).toEqual({
      displayName: 'name',
      metadata: {},
      ttl: undefined,
    });
    expect(Object.keys(update({ session }, ['ttl']).fields)).toEqual(['ttl']);
  });

  it('takes everything for *', () => {
    const { fields, configs } = update({ session: { displayName: 'name' } }, ['*']);
    expect(fields).toEqual({ ...EMPTY, displayName: 'name' });
    expect(configs).toEqual({ value: undefined });
  });

  it('needs no session to clear fields', () => {
    expect(update({}, ['display_name', 'token_budget']).fields).toEqual({ displayName: '', tokenBudget: 0 });
  });

  it('unsets configs that are masked and absent, empties them with {}, and leaves them alone otherwise', () => {
    expect(update({ session: {} }, ['configs']).configs).toEqual({ value: undefined });
    expect(update({ session: { configs: {} } }, ['configs']).configs).toEqual({ value: {} });
    expect(update({ session: { configs: { a: 1 } } }, ['metadata']).configs).toBeUndefined();
  });

  it('takes a field that is named twice once', () => {
    expect(update({ session: { situation: 'x' } }, ['situation', 'situation']).fields).toEqual({
      situation: 'x',
    });
  });

  it.each([
    ['namespace', 'a session keeps its namespace'],
    ['session_id', 'ForkSession'],
    ['user_id', 'BindParticipant'],
    ['agent_id', 'BindParticipant'],
    ['participants', 'UnbindParticipant'],
    ['summary', 'output only'],
    ['etag', 'output only'],
    ['create_time', 'output only'],
    ['configs_revision', 'output only'],
    ['metadata.a', 'metadata_patch'],
    ['configs.model', 'PatchConfigs'],
    ['participants.0', 'nested paths'],
    ['displayName', 'no field "displayName"'],
    ['nonsense', 'no field "nonsense"'],
    ['', 'no field ""'],
    ['__proto__', 'no field "__proto__"'],
    ['constructor', 'no field "constructor"'],
    ['*.a', 'no field'],
    [' display_name', 'no field'],
  ])('cannot name %j, and is told why', (path, why) => {
    expect(refusal(() => update({}, ['display_name', path]))).toMatchObject({
      field: 'update_mask.paths[1]',
      description: expect.stringContaining(why),
    });
    expect(refusal(() => update({}, ['*', path])).field).toBe('update_mask.paths[1]');
  });

  it.each([
    ['metadata', { metadataPatch: { a: 1 } }],
    ['data', { dataPatch: {} }],
  ])('cannot replace %s and patch it at once', (name, patch) => {
    expect(refusal(() => update(patch, [name]))).toMatchObject({
      field: 'update_mask',
      description: expect.stringContaining(`${name} is masked and patched`),
    });
    expect(refusal(() => update(patch, ['*'])).field).toBe('update_mask');
    expect(update(patch, ['situation']).fields).toEqual({ situation: '' });
  });

  it('must not name another session inside', () => {
    expect(refusal(() => update({ session: { sessionId: 'other' } }, ['situation'])).field).toBe(
      'session.session_id',
    );
    expect(refusal(() => update({ session: { namespace: 'other' } }, ['situation'])).field).toBe(
      'session.namespace',
    );
    expect(update({ session: { sessionId: 's', namespace: 'n' } }, ['situation']).fields).toEqual({
      situation: '',
    });
  });
});

describe('an update without a mask', () => {
  it('takes the fields that are set', () => {
    const session = { displayName: 'name', data: {}, ttl: { seconds: 1n }, ttlPolicy: TtlPolicy.SLIDING };
    expect(update({ session }).fields).toEqual({
      displayName: 'name',
      data: {},
      ttl: 1000,
      ttlPolicy: 'SLIDING',
    });
    expect(update({ session }, []).fields).toEqual(update({ session }).fields);
    expect(update({ session: { configs: {} } })).toMatchObject({ fields: {}, configs: { value: {} } });
  });

  it('takes nothing of a session that is empty or absent', () => {
    expect(update({ session: {} })).toMatchObject({ fields: {} });
    expect(update({})).toEqual({ fields: {}, metadataPatch: undefined, dataPatch: undefined, etag: '' });
  });

  it('passes over what the server sets, so that a session read can be sent back', () => {
    const read = {
      namespace: 'elsewhere',
      sessionId: 'other',
      userId: 'user',
      agentId: 'agent',
      participants: [{ participantId: 'user', kind: ParticipantKind.USER }],
      summary: 'summary',
      etag: 'etag',
      createTime: { seconds: 1n },
      configsRevision: 3,
      displayName: 'new name',
    };
    expect(update({ session: read }).fields).toEqual({ displayName: 'new name' });
  });

  it('passes patches and the etag on', () => {
    expect(update({ metadataPatch: { a: null }, dataPatch: {}, etag: 'e' })).toEqual({
      fields: {},
      metadataPatch: { a: null },
      dataPatch: {},
      etag: 'e',
    });
  });
});

describe('a new session', () => {
  const key = { namespace: 'default', sessionId: 'id' };

  it('is an empty one when it is absent', () => {
    const empty = { ...EMPTY, userId: '', agentId: '', participants: [], configs: undefined };
    expect(newSession(undefined, key)).toEqual(empty);
    expect(newSession(create(SessionSchema), key)).toEqual(empty);
  });

  it('keeps every field a caller can set', () => {
    const session = create(SessionSchema, {
      displayName: 'name',
      situation: 'here',
      renderTemplates: true,
      metadata: { a: null },
      data: { b: [] },
      configs: {},
      tokenBudget: 7,
      contextOverflow: ContextOverflow.SUMMARIZE,
      ttlPolicy: TtlPolicy.SLIDING,
      ttl: { seconds: 3600n, nanos: 1 },
      userId: 'user',
      agentId: 'agent',
      participants: [{ participantId: 'agent', kind: ParticipantKind.AGENT, settings: { t: 0.5 } }],
    });
    expect(newSession(session, key)).toEqual({
      displayName: 'name',
      situation: 'here',
      renderTemplates: true,
      metadata: { a: null },
      data: { b: [] },
      configs: {},
      tokenBudget: 7,
      contextOverflow: 'SUMMARIZE',
      ttlPolicy: 'SLIDING',
      ttl: 3_600_001,
      userId: 'user',
      agentId: 'agent',
      participants: [
        { participantId: 'agent', kind: 'AGENT', displayName: '', instructions: '', settings: { t: 0.5 } },
      ],
    });
  });

  it.each([
    [{ seconds: 0n, nanos: 1_000_000 }, 1],
    [{ seconds: 0n, nanos: 1_000_001 }, 2],
    [{ seconds: 1n, nanos: 999_999_999 }, 2000],
    [{ seconds: 3_153_600_000n, nanos: 0 }, 3_153_600_000_000],
  ])('has its time to live rounded up to milliseconds: %o', (ttl, expected) => {
    expect(newSession(create(SessionSchema, { ttl }), key).ttl).toBe(expected);
  });

  it('must not carry another id or namespace', () => {
    const carrying = (session: MessageInitShape<typeof SessionSchema>) => () =>
      newSession(create(SessionSchema, session), key);
    expect(refusal(carrying({ sessionId: 'other' })).field).toBe('session.session_id');
    expect(refusal(carrying({ namespace: 'other' })).field).toBe('session.namespace');
    expect(carrying({ sessionId: 'id', namespace: 'default' })).not.toThrow();
  });
});

describe('a participant', () => {
  it('has settings even when it comes without', () => {
    const participant = create(ParticipantSchema, { participantId: 'u', kind: ParticipantKind.USER });
    expect(newParticipant(participant)).toEqual({
      participantId: 'u',
      kind: 'USER',
      displayName: '',
      instructions: '',
      settings: {},
    });
  });
});

describe('the key of a request', () => {
  it('is in the default namespace when none is named', () => {
    expect(keyOf({ namespace: '', sessionId: 's' })).toEqual({ namespace: 'default', sessionId: 's' });
    expect(keyOf({ namespace: 'n', sessionId: 's' })).toEqual({ namespace: 'n', sessionId: 's' });
  });
});

describe('the order of a list', () => {
  it.each([
    ['', 'createTime', 'desc'],
    [' ', 'createTime', 'desc'],
    ['create_time', 'createTime', 'desc'],
    ['create_time desc', 'createTime', 'desc'],
    ['create_time asc', 'createTime', 'asc'],
    ['update_time', 'updateTime', 'desc'],
    ['update_time desc', 'updateTime', 'desc'],
    ['  update_time   asc  ', 'updateTime', 'asc'],
  ])('%j is by %s %s', (text, by, direction) => {
    expect(sessionOrder(text)).toEqual({ by, direction });
  });

  it.each([
    'createTime',
    'create_time ASC',
    'CREATE_TIME',
    'asc',
    'create_timeasc',
    'create_time asc desc',
    'create_time, update_time',
    'delete_time',
    'create_time;',
    'create_time\n',
  ])('%j is none', (text) => {
    expect(refusal(() => sessionOrder(text)).field).toBe('order_by');
  });
});
