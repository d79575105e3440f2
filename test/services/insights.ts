/** Integrations as tests speak of them: sessions whose agents have something to learn, and a model that says what. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { expect } from 'vitest';
import {
  type Insight,
  type IntegrateSessionRequestSchema,
  type IntegrateSessionResponse,
  type Participant,
  ParticipantKind,
} from '../../gen/parley/v1/session_service_pb.ts';
import type { Clients } from '../harness.ts';
import { type Behaviour, type EndpointRequest, text } from '../models/endpoint.ts';
import { reasonOf } from './answers.ts';
import { sessionWith } from './turns.ts';

export type IntegrateAsk = Exclude<
  MessageInitShape<typeof IntegrateSessionRequestSchema>,
  { $typeName: string }
>;

const { AGENT, USER } = ParticipantKind;

/** A session with these agents and a user, and turns that say their seq. */
export function sessionOf(parley: Clients, turns: number, ...agents: string[]): Promise<string> {
  const participants = agents.map((participantId) => ({ participantId, kind: AGENT }));
  return sessionWith(parley, turns, {
    participants: [{ participantId: 'ann', kind: USER }, ...participants],
  });
}

/** Integrates to the end; the events in short. */
export async function integrated(parley: Clients, ask: IntegrateAsk): Promise<string[]> {
  return (await Array.fromAsync(parley.sessions.integrateSession(ask))).map(inShort);
}

/** `started ann bot`, `bot 1-3: It rains (2); …`, `bot skipped`, `bot 1-3 failed MODEL_TIMEOUT`, `completed`. */
export function inShort({ event }: IntegrateSessionResponse): string {
  if (event.case === 'started') return ['started', ...event.value.participantIds].join(' ');
  if (event.case !== 'agent') return event.case ?? 'nothing';
  const { participantId, insights, fromSeq, throughSeq, skipped, error } = event.value;
  if (skipped) return `${participantId} skipped`;
  const range = `${participantId} ${fromSeq}-${throughSeq}`;
  return error ? `${range} failed ${reasonOf(error)}` : `${range}: ${insights.map(told).join('; ')}`;
}

/** `It rains (2)`: what it says, and where that comes from. */
export function told({ text, evidence }: Insight): string {
  return `${text} (${evidence.join(' ')})`;
}

/** All insights of a session, or of an agent, by as many pages as it takes. */
export async function insightsOf(
  { sessions }: Clients,
  sessionId: string,
  participantId = '',
  pageSize = 1000,
): Promise<Insight[]> {
  const all: Insight[] = [];
  for (let pageToken = ''; ; ) {
    const page = await sessions.listInsights({ sessionId, participantId, pageSize, pageToken });
    expect(page.insights.length).toBeLessThanOrEqual(pageSize);
    all.push(...page.insights);
    if (page.nextPageToken === '') return all;
    pageToken = page.nextPageToken;
  }
}

/** `bot: 2 through 7`: how many insights everybody with a row has, and how far they reach. */
export async function learnt({ sessions }: Clients, sessionId: string): Promise<string> {
  const { participants } = await sessions.listParticipants({ sessionId, includeUnbound: true });
  const { session } = await sessions.getSession({ sessionId });
  const bound = participants.filter(({ unbindTime }) => unbindTime === undefined);
  expect(session!.participants).toEqual(bound);
  const agents = participants.filter(({ kind }) => kind === AGENT);
  return agents
    .map(
      ({ participantId, insightCount, integratedSeq }: Participant) =>
        `${participantId}: ${insightCount} through ${integratedSeq}`,
    )
    .join(', ');
}

/** An answer of a model that learnt this; of the evidence, what is left out is the first turn it was shown. */
export function teaches(...insights: { text: string; evidence: unknown }[]): Behaviour {
  return text(JSON.stringify({ insights }));
}

/** A model that learns of each turn what it says. */
export function everyTurn(request: EndpointRequest): Behaviour {
  return teaches(...shown(request).map(({ seq, said }) => ({ text: `They said ${said}`, evidence: [seq] })));
}

/** The turns a model was shown. */
export function shown({ body }: EndpointRequest): { seq: number; said: string; name?: string }[] {
  return materialOf(body).filter((line) => 'seq' in line) as never;
}

/** The lines of JSON a model was given. */
// biome-ignore lint/suspicious/noExplicitAny: whatever was sent
export function materialOf(body: any): Record<string, unknown>[] {
  const { content } = body.messages.at(-1);
  return content.split('\n').map((line: string) => JSON.parse(line));
}
