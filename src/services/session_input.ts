/** What callers send of a session, as the domain takes it. */
import { create, isFieldSet } from '@bufbuild/protobuf';
import type { Duration } from '@bufbuild/protobuf/wkt';
import {
  ContextOverflow,
  type Participant,
  ParticipantKind,
  type Session,
  SessionSchema,
  TtlPolicy,
  type UpdateSessionRequest,
} from '../../gen/parley/v1/session_service_pb.ts';
import { fieldInvalid } from '../errors.ts';
import type { NewParticipant } from '../sessions/participants.ts';
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import type { NewSession, SessionSettings, SessionUpdate } from '../sessions/settings.ts';
import type { SessionOrder } from '../sessions/store.ts';

/** Any request that names a session. */
export function keyOf(request: { namespace: string; sessionId: string }): SessionKey {
  return { namespace: namespaceOf(request), sessionId: request.sessionId };
}

export function namespaceOf({ namespace }: { namespace: string }): string {
  return namespace || 'default';
}

/** The session of a CreateSession request; an absent one is an empty one. */
export function newSession(session: Session = create(SessionSchema), key: SessionKey): NewSession {
  checkIds(session, key);
  const { userId, agentId, participants, configs } = session;
  return {
    ...settingsOf(session),
    userId,
    agentId,
    participants: participants.map(newParticipant),
    configs,
  };
}

export function newParticipant(participant: Participant): NewParticipant {
  const { participantId, displayName, instructions, settings } = participant;
  const kind = participant.kind === ParticipantKind.AGENT ? 'AGENT' : 'USER';
  return { participantId, kind, displayName, instructions, settings: settings ?? {} };
}

const OVERFLOWS: Readonly<Record<number, SessionSettings['contextOverflow']>> = {
  [ContextOverflow.ADAPTIVE]: 'ADAPTIVE',
  [ContextOverflow.TRUNCATE]: 'TRUNCATE',
  [ContextOverflow.SUMMARIZE]: 'SUMMARIZE',
};

const TTL_POLICIES: Readonly<Record<number, SessionSettings['ttlPolicy']>> = {
  [TtlPolicy.FIXED]: 'FIXED',
  [TtlPolicy.SLIDING]: 'SLIDING',
};

/** The fields a caller can set; by the names of the proto's generated fields. */
function settingsOf(session: Session): SessionSettings {
  return {
    displayName: session.displayName,
    situation: session.situation,
    renderTemplates: session.renderTemplates,
    metadata: session.metadata ?? {},
    data: session.data ?? {},
    tokenBudget: session.tokenBudget,
    contextOverflow: OVERFLOWS[session.contextOverflow] ?? 'ADAPTIVE',
    ttlPolicy: TTL_POLICIES[session.ttlPolicy] ?? 'FIXED',
    ttl: session.ttl && milliseconds(session.ttl),
  };
}

type SettingName = keyof SessionSettings;
const SETTING_NAMES = Object.keys(settingsOf(create(SessionSchema))) as SettingName[];

/** An UpdateSession request, its mask resolved to fields. */
export function sessionUpdate(request: UpdateSessionRequest): SessionUpdate {
  const { session = create(SessionSchema), updateMask, metadataPatch, dataPatch, etag } = request;
  const paths = updateMask?.paths ?? [];
  if (paths.length > 0) checkIds(session, keyOf(request));
  const names =
    paths.length > 0
      ? [...new Set(paths.flatMap((path, index) => maskedName(path, `update_mask.paths[${index}]`)))]
      : SETTABLE.filter((name) => isFieldSet(session, SessionSchema.field[name]));
  checkPatches(names, request);
  // What is not named is not looked at.
  const settings = settingsOf(names.includes('ttl') ? session : { ...session, ttl: undefined });
  return {
    fields: Object.fromEntries(
      names.filter((name) => name !== 'configs').map((name) => [name, settings[name]]),
    ),
    ...(names.includes('configs') && { configs: { value: session.configs } }),
    metadataPatch,
    dataPatch,
    etag,
  };
}

const SETTABLE = [...SETTING_NAMES, 'configs'] as const;
type Settable = (typeof SETTABLE)[number];

/** Why a mask cannot name them. */
const CHANGED_ELSEWHERE: Record<string, string> = {
  namespace: 'a session keeps its namespace',
  session_id: 'a session keeps its id; ForkSession copies it under another',
  user_id: 'participants are changed by BindParticipant and UnbindParticipant',
  agent_id: 'participants are changed by BindParticipant and UnbindParticipant',
  participants: 'participants are changed by BindParticipant and UnbindParticipant',
};

/** A value and a patch of the same field would leave one of them without effect. */
function checkPatches(
  names: readonly Settable[],
  { metadataPatch, dataPatch, updateMask }: UpdateSessionRequest,
): void {
  const paths = updateMask?.paths ?? [];
  for (const [name, patch] of Object.entries({ metadata: metadataPatch, data: dataPatch })) {
    if (!patch || !names.includes(name as Settable)) continue;
    if (paths.length === 0) throw fieldInvalid(`${name}_patch`, `${name} is set in the session at once`);
    if (paths.includes('*'))
      throw fieldInvalid('update_mask', `* replaces everything; ${name}_patch cannot go with it`);
    throw fieldInvalid('update_mask', `${name} is masked and patched at once`);
  }
}

function maskedName(path: string, field: string): readonly Settable[] {
  if (path === '*') return SETTABLE;
  const known = SessionSchema.fields.find(({ name }) => name === path);
  if (known && SETTABLE.includes(known.localName as Settable)) return [known.localName as Settable];
  if (known) throw fieldInvalid(field, CHANGED_ELSEWHERE[path] ?? `${path} is output only`);
  if (/^[a-z_]+\./.test(path)) {
    throw fieldInvalid(
      field,
      'nested paths are not supported; use metadata_patch, data_patch or PatchConfigs',
    );
  }
  throw fieldInvalid(field, `a session has no field ${JSON.stringify(path)}`);
}

function checkIds(session: Session, { namespace, sessionId }: SessionKey): void {
  if (session.namespace !== '' && session.namespace !== namespace) {
    throw fieldInvalid('session.namespace', 'is not the namespace of the request');
  }
  if (session.sessionId !== '' && session.sessionId !== sessionId) {
    throw fieldInvalid('session.session_id', 'is not the session_id of the request');
  }
}

/** The order of a list: `create_time` or `update_time`, with or without a direction. */
export function sessionOrder(orderBy: string): SessionOrder {
  const match = /^ *(?:(create|update)_time(?: +(asc|desc))?)? *$/.exec(orderBy);
  if (!match) throw fieldInvalid('order_by', 'create_time or update_time, followed by asc or desc');
  return {
    by: match[1] === 'update' ? 'updateTime' : 'createTime',
    direction: match[2] === 'asc' ? 'asc' : 'desc',
  };
}

/** Rounded up, so that no session ends before its time. */
function milliseconds({ seconds, nanos }: Duration): Milliseconds {
  if (nanos < 0 || nanos > 999_999_999)
    throw fieldInvalid('session.ttl', 'is no duration: nanos is out of its range');
  return Number(seconds) * 1000 + Math.ceil(nanos / 1e6);
}
