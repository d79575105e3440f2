/**
 * Entries of a log: turns that were appended together lie in one, since an entry costs Redis more than a short turn.
 * What the scripts know of them is in `scripts/entries.lua`.
 */
import { bodiesOf, framesOf, type StoredTurn } from '../chat/frames.ts';
import type { NewTurn } from '../chat/turns.ts';
import type { Micros } from '../sessions/session.ts';
import { fromText, toText } from './byte_text.ts';

/** What is stored in one entry at most, but one turn always: to read a turn is to read its entry. */
const ENTRY = { turns: 64, bytes: 8 * 1024 };

/** An entry as it is stored: how many turns it has and whom they count for, and what is stored of them. */
export type Entry = readonly [field: string, turns: string];

/** Whom turns count for that count for nobody. */
export const NOBODY = '-';

/** Entries for new turns, as log.lua's `append` takes them. `most`: so many turns in one. */
export function entriesOf(turns: readonly NewTurn[], most = ENTRY.turns): string[] {
  const entries: string[] = [];
  for (let from = 0, to = 0; from < turns.length; from = to) {
    let bytes = 0;
    do bytes += turns[to++]!.body.length;
    while (to < turns.length && to - from < most && bytes + turns[to]!.body.length <= ENTRY.bytes);
    const together = turns.slice(from, to);
    entries.push(
      ...entryOf(
        together.map(countedFor),
        together.map(({ body }) => body),
      ),
    );
  }
  return entries;
}

/** The turns of entries. `ids`: as read_turns.lua tells them; `turns`: what is in all the entries. */
export function turnsIn(ids: string, turns: string): StoredTurn[] {
  if (ids === '') return [];
  const bodies = bodiesOf(fromText(turns));
  const all: StoredTurn[] = [];
  for (const id of ids.split(' ')) {
    const { first, last, createTime } = parseId(id);
    for (let seq = first; seq <= last; seq++) all.push({ seq, createTime, body: bodies[all.length]! });
  }
  return all;
}

/** Of each turn of an entry, whom it counts for: a participant or NOBODY. */
export function countedIn([field]: Entry): string[] {
  const [size, ...runs] = field.split(' ') as [string, ...string[]];
  const counted: string[] = [];
  for (let at = 0; at < runs.length; at += 2) {
    const times = Number(runs[at + 1] ?? size);
    for (let turn = 0; turn < times; turn++) counted.push(runs[at]!);
  }
  return counted;
}

/** The id of an entry and the entry, as far as its turns go through a seq. */
export function entryThrough(seq: number, id: string, entry: Entry): [id: string, ...Entry] {
  const { first, last, createTime } = parseId(id);
  if (last <= seq) return [`${last}-${createTime}`, ...entry];
  const size = seq - first + 1;
  const bodies = bodiesOf(fromText(entry[1])).slice(0, size);
  return [`${seq}-${createTime}`, ...entryOf(countedIn(entry).slice(0, size), bodies)];
}

/** What is stored of turns is their frames, but for what only the log knows, which the id of their entry tells. */
function entryOf(counted: readonly string[], bodies: readonly Uint8Array[]): Entry {
  const runs: [who: string, times: number][] = [];
  for (const who of counted) {
    const run = runs.at(-1);
    if (run?.[0] === who) run[1]++;
    else runs.push([who, 1]);
  }
  const counts = runs.length === 1 ? runs[0]![0] : runs.map((run) => run.join(' ')).join(' ');
  return [`${counted.length} ${counts}`, toText(framesOf(bodies))];
}

/** As read_turns.lua tells them: the seq of the last turn, when they were stored, how many they are. */
function parseId(id: string): { first: number; last: number; createTime: Micros } {
  const [last, createTime, size] = id.split('-').map(Number) as [number, number, number];
  return { first: last - size + 1, last, createTime };
}

/** As log.lua's `counted` takes it. */
function countedFor({ participantId, role }: NewTurn): string {
  if (participantId !== '') return `@${participantId}`;
  if (role === 'USER') return 'USER';
  return role === 'ASSISTANT' ? 'AGENT' : NOBODY;
}
