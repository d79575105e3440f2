/** What moves with every turn of a session, as the log keeps it. */
import type { Activity, Learnt, Session } from '../sessions/session.ts';

/** Of a session that has just been made. */
export const NO_ACTIVITY: Activity = {
  updateTime: 0,
  lastTurnSeq: 0,
  turnCount: 0,
  turnsBy: undefined,
  activeRunId: '',
  summary: '',
  summarizedSeq: 0,
  learntBy: undefined,
  documentCount: 0,
};

/** The fields of the log that {@link activityOf} takes, in its order. */
export const ACTIVITY_FIELDS = [
  'updated',
  'kept',
  'count',
  'by',
  'running',
  'summary',
  'learnt',
  'summarized',
  'docs',
] as const;

/** `session`: where there is one at hand that may have been written before the log knew its time. */
export function activityOf(
  [updated, kept, count, by, running, summary, learnt, summarized, docs]: readonly (string | null)[],
  session?: Session,
): Activity {
  return {
    updateTime: Math.max(Number(updated ?? 0), session?.updateTime ?? 0),
    lastTurnSeq: Number(kept ?? 0),
    turnCount: Number(count ?? 0),
    turnsBy: by ? byId(Object.entries(JSON.parse(by) as Record<string, number>)) : undefined,
    activeRunId: running ?? '',
    summary: summary ?? '',
    summarizedSeq: Number(summarized ?? 0),
    learntBy: learnt ? learntFrom(JSON.parse(learnt) as StoredLearnt) : undefined,
    documentCount: Number(docs ?? 0),
  };
}

/** What the scripts tell of it: the same as JSON; of an older version, without the last ones. */
export function parseActivity(text: string): Activity {
  const [
    updateTime,
    lastTurnSeq,
    turnCount,
    turnsBy,
    activeRunId = '',
    summary = '',
    summarizedSeq = 0,
    learnt,
    documentCount = 0,
  ] = JSON.parse(text) as [
    number,
    number,
    number,
    Record<string, number> | null,
    string?,
    string?,
    number?,
    (StoredLearnt | null)?,
    number?,
  ];
  return {
    updateTime,
    lastTurnSeq,
    turnCount,
    turnsBy: turnsBy ? byId(Object.entries(turnsBy)) : undefined,
    activeRunId,
    summary,
    summarizedSeq,
    learntBy: learnt ? learntFrom(learnt) : undefined,
    documentCount,
  };
}

/** Of each agent: through which seq, and how many insights. */
type StoredLearnt = Record<string, [number, number]>;

function learntFrom(stored: StoredLearnt): Record<string, Learnt> {
  return byId(
    Object.entries(stored).map(([id, [integratedSeq, insightCount]]) => [
      id,
      { integratedSeq, insightCount },
    ]),
  );
}

/** Without a prototype: a participant may be called `constructor`. */
function byId<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}
