/** Insights and the progress of integrations as proto messages. */
import { fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts';
import type {
  InsightSchema,
  IntegrateSessionResponseSchema,
} from '../../gen/parley/v1/session_service_pb.ts';
import type { Insight } from '../integration/insight.ts';
import type { InsightPosition, IntegrationEvent } from '../integration/integrations.ts';
import { encodeStatus } from '../rpc/status.ts';
import { timestamp } from './messages.ts';

export function insightMessage(insight: Insight): MessageInitShape<typeof InsightSchema> {
  return { ...insight, evidence: [...insight.evidence], createTime: timestamp(insight.createTime) };
}

export function integrationMessage(
  event: IntegrationEvent,
): MessageInitShape<typeof IntegrateSessionResponseSchema> {
  switch (event.kind) {
    case 'started':
      return { event: { case: 'started', value: { participantIds: [...event.participantIds] } } };
    case 'agent': {
      const { insights, error, participantId, fromSeq, throughSeq, skipped } = event;
      const status = error && { error: fromBinary(StatusSchema, encodeStatus(error)) };
      const told = insights.map(insightMessage);
      return {
        event: {
          case: 'agent',
          value: { participantId, insights: told, fromSeq, throughSeq, skipped, ...status },
        },
      };
    }
    case 'completed':
      return { event: { case: 'completed', value: {} } };
  }
}

/** Whether a token says a place in a list of insights. */
export function isInsightPosition(value: unknown): value is InsightPosition {
  const { participantId, number } = (value ?? {}) as Partial<InsightPosition>;
  return typeof participantId === 'string' && Number.isSafeInteger(number);
}
