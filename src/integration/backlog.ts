/** What an agent has yet to look at: read as it is now, before each batch. */
import type { PastTurn } from '../chat/content.ts';
import { resolveGeneration } from '../chat/generation.ts';
import type { Epoch, TurnLog } from '../chat/turns.ts';
import { ParleyError, sessionNotFound } from '../errors.ts';
import type { Models } from '../models/model.ts';
import { contextWindow } from '../models/windows.ts';
import { writable } from '../sessions/changes.ts';
import {
  isBound,
  type Learnt,
  type Participant,
  type Session,
  type SessionKey,
} from '../sessions/session.ts';
import type { SessionStore } from '../sessions/store.ts';
import type { JsonObject } from '../structs/json.ts';
import { BATCH_TURNS, type Batch } from './batch.ts';
import type { InsightLog } from './insight.ts';
import { batchFor, type Learner } from './learn.ts';

/** Turns read at a time, of which a batch is made. */
const PAGE = { direction: 'FORWARD' as const, count: BATCH_TURNS, bytes: 512 * 1024 };
/** How many of its newest insights an agent is told, so as not to learn them again. */
const KNOWN = 50;
/** What integrations are made with. */
export interface IntegrationTools {
  readonly sessions: SessionStore;
  readonly turns: TurnLog;
  readonly insights: InsightLog;
  readonly models: Models;
  /** Turns, given as frames. */
  readonly decode: (frames: Uint8Array) => PastTurn[];
  /** Asked where neither request, agent nor configs name one. */
  readonly defaultModel: string;
}

/** An agent, and what it has to look at next. */
export interface Backlog {
  readonly agent: Participant;
  readonly place: number;
  readonly before: Learnt;
  readonly epoch: Epoch;
  readonly learner: Learner;
  readonly batch: Batch;
  /** The last turn there was. */
  readonly lastSeq: number;
}

const NO_LEARNT: Learnt = { integratedSeq: 0, insightCount: 0 };

/** Undefined when there is nothing new through a seq. `model`: the one to ask; empty for whichever the session names. */
export async function backlogOf(
  tools: IntegrationTools,
  key: SessionKey,
  participantId: string,
  model: string,
  until: number,
): Promise<Backlog | undefined> {
  const found = await tools.sessions.readActive(key);
  const session = writable(found?.session, key, '');
  const place = session.participants.findIndex((row) => row.participantId === participantId);
  const agent = session.participants[place];
  if (!agent || !isBound(agent)) throw superseded(participantId);
  const before = found!.activity.learntBy?.[participantId] ?? NO_LEARNT;
  const beforeSeq = Number.isFinite(until) ? until + 1 : undefined;
  const page = await tools.turns.read(key, { ...PAGE, beforeSeq, afterSeq: before.integratedSeq });
  if (!page) throw sessionNotFound(key.sessionId);
  const said = tools.decode(page.frames);
  if (said.length === 0) return undefined;
  const learner = await learnerOf(tools, session, agent, model, before);
  const batch = await batchFor(said, learner);
  const { epoch, lastTurnSeq: lastSeq } = page.state;
  return { agent, place, before, epoch, learner, batch, lastSeq };
}

/** ABORTED `INTEGRATION_SUPERSEDED`. */
export function superseded(participantId: string): ParleyError {
  const id = JSON.stringify(participantId);
  return new ParleyError('INTEGRATION_SUPERSEDED', `turns were removed, or ${id} was unbound, in between`);
}

async function learnerOf(
  { models, insights, defaultModel }: IntegrationTools,
  session: Session,
  agent: Participant,
  model: string,
  { insightCount: last }: Learnt,
): Promise<Learner> {
  const range = { participantId: agent.participantId, first: Math.max(1, last - KNOWN + 1), last };
  const known = (await insights.read(session, range)).reverse().map(({ text }) => text);
  // Of the settings of an answer only the model applies.
  const { model: name } = resolveGeneration({
    request: { model },
    agent: { ...agent, settings: onlyModel(agent.settings) },
    configs: onlyModel(session.configs.configs ?? {}),
    defaultModel,
  });
  return { agent, known, model: models.named(name), name, contextWindow: contextWindow(name) };
}

function onlyModel(settings: JsonObject): JsonObject {
  return Object.hasOwn(settings, 'model') ? { model: settings.model! } : {};
}
