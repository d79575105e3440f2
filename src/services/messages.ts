/** The domain's participants and revisions as proto messages. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { ConfigsOperation, type ConfigsRevisionSchema } from '../../gen/parley/v1/configs_service_pb.ts';
import { ParticipantKind, type ParticipantSchema } from '../../gen/parley/v1/session_service_pb.ts';
import type { Activity, ConfigsRevision, Micros, Participant } from '../sessions/session.ts';

/** `activity`: what of it moves with the turns. */
export function participantMessage(
  participant: Participant,
  activity?: Pick<Activity, 'turnsBy' | 'learntBy'>,
): MessageInitShape<typeof ParticipantSchema> {
  const { bindTime, unbindTime, kind, settings, leftSeq, ...same } = participant;
  const { participantId } = participant;
  return {
    ...same,
    turnCount: activity?.turnsBy?.[participantId] ?? 0,
    ...activity?.learntBy?.[participantId],
    kind: ParticipantKind[kind],
    settings,
    bindTime: timestamp(bindTime),
    ...(leftSeq !== undefined && { leftSeq }),
    ...(unbindTime !== undefined && { unbindTime: timestamp(unbindTime) }),
  };
}

export function revisionMessage(revision: ConfigsRevision): MessageInitShape<typeof ConfigsRevisionSchema> {
  const { operation, createTime, configs, ...same } = revision;
  return {
    ...same,
    ...(configs && { configs }),
    operation: operation ? ConfigsOperation[operation] : ConfigsOperation.UNSPECIFIED,
    createTime: timestamp(createTime),
  };
}

export function timestamp(time: Micros): Timestamp {
  const seconds = Math.floor(time / 1e6);
  return {
    $typeName: 'google.protobuf.Timestamp',
    seconds: BigInt(seconds),
    nanos: (time - seconds * 1e6) * 1000,
  };
}
