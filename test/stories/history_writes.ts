/** What the log of each epoch was, by the record of those who wrote it, and whether that record is sound. */
import type { Append, Removal, Said, Write } from './history.ts';

export interface Epoch {
  readonly reason: string;
  readonly log: Logged[];
  /** When the next one was certain to have begun. */
  over: number;
}

export interface Logged extends Said {
  readonly acknowledged: number;
}

/** What was kept and then appended, from removal to removal. */
export function replay(writes: readonly Write[]): Epoch[] {
  const epochs: Epoch[] = [{ reason: 'BEGINNING', log: [], over: Number.POSITIVE_INFINITY }];
  for (const write of inOrder(writes)) {
    const epoch = epochs.at(-1)!;
    if (write.kind === 'append') {
      epoch.log.push(...write.turns.map((turn) => ({ ...turn, acknowledged: write.acknowledged })));
    } else {
      epoch.over = write.acknowledged;
      const log = epoch.log.filter(({ seq }) => seq <= write.toSeq);
      epochs.push({ reason: write.reason, log, over: Number.POSITIVE_INFINITY });
    }
  }
  return epochs;
}

/** What is wrong with the answers that writers got. */
export function faults(writes: readonly Write[], epochs: readonly Epoch[]): string[] {
  const ordered = inOrder(writes);
  const appends = ordered.filter((write) => write.kind === 'append');
  const removals = ordered.filter((write) => write.kind === 'removal');
  return [
    ...appends.flatMap(misunderstood),
    ...misnumbered(appends.flatMap(({ turns }) => turns)),
    ...outOfTime(ordered),
    ...removals.flatMap((removal, index) => miscounted(removal, epochs[index]!)),
  ];
}

/** All writes have their place among the seqs: a removal comes before the first turn after it. */
function inOrder(writes: readonly Write[]): Write[] {
  const place = (write: Write) => (write.kind === 'append' ? (write.turns[0]?.seq ?? 0) : write.next - 0.5);
  return writes.toSorted((a, b) => place(a) - place(b));
}

/** An append is answered with its own messages. */
function misunderstood({ texts, turns }: Append): string[] {
  const [said, answered] = [texts.join(), turns.map(({ text }) => text).join()];
  return said === answered ? [] : [`an append of ${said} was answered with ${answered || 'nothing'}`];
}

/** Every seq from 1 on is one turn of one append. */
function misnumbered(turns: readonly Said[]): string[] {
  const wrong = turns.findIndex(({ seq }, index) => seq !== index + 1);
  return wrong < 0 ? [] : [`${show(turns[wrong])} was acknowledged where ${wrong + 1} was due`];
}

/** What was acknowledged before another write was sent comes before it. */
function outOfTime(writes: readonly Write[]): string[] {
  let latest = 0;
  return writes.flatMap((write) => {
    const late = write.acknowledged < latest;
    latest = Math.max(latest, write.sent);
    return late ? [`${describe(write)} came after a write that was sent later`] : [];
  });
}

function miscounted(removal: Removal, { log }: Epoch): string[] {
  const removed = log.filter(({ seq }) => seq > removal.toSeq).length;
  if (removal.removed === undefined || removal.removed === removed) return [];
  return [`${describe(removal)} counted ${removal.removed} turns and not ${removed}`];
}

/** The first place where the log is not what the writes made it. */
export function differences(log: readonly Said[], epochs: readonly Epoch[]): string[] {
  const expected = epochs.at(-1)!.log;
  const places = Array.from({ length: Math.max(log.length, expected.length) }, (_, index) => index);
  const wrong = places.find((index) => !same(log[index], expected[index]));
  return wrong === undefined ? [] : [`the log has ${show(log[wrong])} where ${show(expected[wrong])} is due`];
}

export function same(one: Said | undefined, other: Said | undefined): boolean {
  return one?.seq === other?.seq && one?.text === other?.text;
}

export function show(turn: Said | undefined): string {
  return turn ? `${turn.seq} (${turn.text})` : 'nothing';
}

function describe(write: Write): string {
  return write.kind === 'append'
    ? `the append of ${write.turns.map(show).join()}`
    : `the removal (${write.reason}) before ${write.next}`;
}
