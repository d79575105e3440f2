/**
 * Follows the configs of a session: every revision once and in order, for as
 * long as somebody listens.
 *
 * The log is what is followed; the doorbell only says when to look again. So a
 * ring that is lost costs time (the next look, at the latest with the next
 * heartbeat) and never a revision.
 */
import { fieldInvalid, ParleyError, sessionDeleted } from '../errors.ts';
import { Bell, HEARTBEAT, untilEnd } from '../sessions/bell.ts';
import { readable } from '../sessions/changes.ts';
import {
  type ConfigsRevision,
  endTime,
  isDeleted,
  type Milliseconds,
  type Session,
  type SessionKey,
} from '../sessions/session.ts';
import type { Doorbell, RevisionLog } from '../sessions/store.ts';

/**
 * Yields revisions after `after` (absent: the current one first), then live,
 * and `undefined` for a heartbeat. Ends with an error only.
 */
export async function* watchConfigs(
  store: RevisionLog,
  doorbell: Doorbell,
  key: SessionKey,
  after: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<ConfigsRevision | undefined> {
  const bell = new Bell(signal);
  // Listening before the first look: what happens in between rings.
  const hangUp = await doorbell.listen(key, (news) => {
    if (news === '') bell.ring(); // news are of turns, which leave the configs alone
  });
  try {
    let seen = await start(store, key, after);
    for (;;) {
      const { session, revisions } = await look(store, key, seen);
      for (const revision of revisions) {
        yield revision;
        seen = { ...seen, last: revision.revision };
      }
      const pause = wait(session);
      if ((await bell.rung(pause)) === 'quiet' && pause === HEARTBEAT) yield undefined;
    }
  } finally {
    hangUp();
  }
}

/** Which session is watched (an id may be used again) and the last revision its watcher has. */
interface Seen {
  readonly createTime: number;
  readonly last: number;
}

async function start(store: RevisionLog, key: SessionKey, after: number | undefined): Promise<Seen> {
  const kept = await store.revisions(key, Number.MAX_SAFE_INTEGER); // the session alone
  const session = readable(kept?.session, key);
  const current = session.configs.revision;
  if (after !== undefined && after > current) {
    throw fieldInvalid('after_revision', `beyond the current revision, ${current}`);
  }
  return { createTime: session.createTime, last: after ?? current - 1 };
}

async function look(store: RevisionLog, key: SessionKey, { createTime, last }: Seen) {
  const kept = await store.revisions(key, last + 1);
  // Purged, expired, or gone and made anew: to the watcher its session is deleted.
  if (!kept || isDeleted(kept.session) || kept.session.createTime !== createTime) {
    throw sessionDeleted(key.sessionId, 'read');
  }
  const first = kept.revisions[0]?.revision ?? last + 1;
  if (first > last + 1) {
    throw new ParleyError('REVISION_COMPACTED', `revisions before ${first} are no longer kept`);
  }
  return kept;
}

/** Until the next heartbeat, or until the session ends by time to live, which rings no bell. */
function wait(session: Session): Milliseconds {
  const end = endTime(session);
  return end === undefined ? HEARTBEAT : Math.min(HEARTBEAT, untilEnd(end / 1000));
}
