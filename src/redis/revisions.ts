/**
 * The log of past configs revisions. Each entry says what undoes the change that
 * came after it, a JSON merge patch (RFC 7396) of the next revision: of large
 * configs in which little changes, a hundred revisions take little more than one.
 */
import type { ConfigsRevision } from '../sessions/session.ts';
import { Slices } from '../slices.ts';
import { type JsonObject, stringify } from '../structs/json.ts';
import { inversePatch, mergeDeep } from '../structs/merge.ts';

/** Revisions that are read beside the current one; Redis may have more, which it drops when that is easy. */
const KEPT_REVISIONS = 99;

/** For making revisions again: of large configs each takes a millisecond. */
const slices = new Slices();

/** The revision whole, where no patch makes it of the next one; `exact`: from an older version, the same as text. */
type Entry = { readonly undo: JsonObject } | (ConfigsRevision & { readonly exact?: string });

/** What is kept of a revision when another takes its place. `patch`: what made that of it; undefined when none did. */
export function revisionEntry(outgoing: ConfigsRevision, patch: JsonObject | undefined): string {
  const undo = patch && inversePatch(outgoing as unknown as JsonObject, patch);
  return stringify(undo ? { undo } : outgoing);
}

/**
 * The revisions before `current`, the oldest first. `entries`: of the log, by revision, from any revision on to the
 * newest, which may be later than `current`. Gives way to others meanwhile.
 */
export async function revisionsBefore(
  current: ConfigsRevision,
  entries: ReadonlyMap<number, string>,
): Promise<ConfigsRevision[]> {
  const revisions: ConfigsRevision[] = [];
  let later = current;
  while (revisions.length < KEPT_REVISIONS) {
    const text = entries.get(later.revision - 1);
    if (text === undefined) break;
    const due = slices.whenDue();
    if (due) await due;
    later = revisionOf(JSON.parse(text) as Entry, later);
    revisions.push(later);
  }
  return revisions.reverse();
}

function revisionOf(entry: Entry, next: ConfigsRevision): ConfigsRevision {
  if ('undo' in entry)
    return mergeDeep(next as unknown as JsonObject, entry.undo) as unknown as ConfigsRevision;
  return entry.exact === undefined ? entry : (JSON.parse(entry.exact) as ConfigsRevision);
}
