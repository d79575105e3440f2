/** What moves with every turn of a session, as the log keeps it. */
import type { Activity, Session } from '../sessions/session.ts';

/** Of a session that has just been made. */
export const NO_ACTIVITY: Activity = { updateTime: 0, lastTurnSeq: 0, turnCount: 0, turnsBy: undefined };

/** The fields of the log that {@link activityOf} takes, in its order. */
export const ACTIVITY_FIELDS = ['updated', 'kept', 'count', 'by'] as const;

/** `session`: where there is one at hand that may have been written before the log knew its time. */
export function activityOf(
  [updated, kept, count, by]: readonly (string | null | undefined)[],
  session?: Session,
): Activity {
  return {
    updateTime: Math.max(Number(updated ?? 0), session?.updateTime ?? 0),
    lastTurnSeq: Number(kept ?? 0),
    turnCount: Number(count ?? 0),
    turnsBy: by ? (JSON.parse(by) as Record<string, number>) : undefined,
  };
}

/** What the scripts tell of it: the same four as JSON. */
export function parseActivity(text: string): Activity {
  const [updateTime, lastTurnSeq, turnCount, turnsBy] = JSON.parse(text) as [
    number,
    number,
    number,
    Record<string, number> | null,
  ];
  return { updateTime, lastTurnSeq, turnCount, turnsBy: turnsBy ?? undefined };
}
