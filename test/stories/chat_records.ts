/** What a session keeps of its runs, in short. */
import { fromBinary } from '@bufbuild/protobuf';
import { expect } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import type { Status } from '../../gen/google/rpc/status_pb.ts';
import { RunStatusSchema } from '../../gen/parley/v1/chat_service_pb.ts';
import { FinishReasonSchema, RoleSchema, type Turn, TurnStatus } from '../../gen/parley/v1/content_pb.ts';
import type { Clients } from '../harness.ts';
import { getSession, turnsOf } from '../services/turns.ts';
import { type RunHistory, type RunListener, type RunStream, runComplaints } from './chat_checker.ts';

/** The log, a line a turn: `1 USER Hello?`, `2 ASSISTANT PARTIAL ERROR Well,`. */
export async function logOf(parley: Clients, sessionId: string): Promise<string[]> {
  return (await turnsOf(parley, sessionId)).map(lineOf);
}

function lineOf(turn: Turn): string {
  const { seq, role, status, finishReason } = turn;
  const partial =
    status === TurnStatus.PARTIAL ? ['PARTIAL', FinishReasonSchema.value[finishReason]!.localName] : [];
  return [seq, RoleSchema.value[role]!.localName, ...partial, saidIn(turn)].join(' ');
}

/** The text of a turn. */
export function saidIn({ parts }: Turn): string {
  return parts.map(({ content }) => (content.case === 'text' ? content.value : '')).join('');
}

/** What GetRun says of it: `COMPLETED`, `FAILED RUN_ABANDONED`. */
export async function statusOf({ chat }: Clients, sessionId: string, runId: string): Promise<string> {
  const { run } = await chat.getRun({ sessionId, runId });
  const status = RunStatusSchema.value[run!.status]!.localName;
  return run!.error ? `${status} ${reasonOf(run!.error)}` : status;
}

/** Why, in a word: `RUN_ABANDONED`. */
export function reasonOf(status: Status | undefined): string {
  const info = status?.details.find(({ typeUrl }) => typeUrl.endsWith('/google.rpc.ErrorInfo'));
  return info ? fromBinary(ErrorInfoSchema, info.value).reason : `code ${status?.code}`;
}

/** The run that answers in a session, as the session says; empty when none does. */
export async function activeRun(parley: Clients, sessionId: string): Promise<string> {
  return (await getSession(parley, sessionId)).activeRunId;
}

/** Everybody heard of a run what happened in it, and the log keeps what was said. */
export async function expectHeard(
  parley: Clients,
  sessionId: string,
  runId: string,
  heard: Readonly<Record<string, readonly RunStream[]>>,
  interruptions: RunHistory['interruptions'] = [],
): Promise<void> {
  const turn = (await turnsOf(parley, sessionId)).find((turn) => turn.runId === runId);
  const listeners: RunListener[] = Object.entries(heard).map(([name, streams]) => ({ name, streams }));
  expect(runComplaints({ listeners, kept: turn && saidIn(turn), interruptions })).toEqual([]);
}
