/** Whether what a follower was told is, at any time, the beginning of the log of an epoch. */
import type { Event, Follower } from './history.ts';
import { type Epoch, type Logged, same, show } from './history_writes.ts';

/** What a follower may know: how many turns, of which epoch. */
interface View {
  readonly possible: readonly Epoch[];
  readonly copied: number;
}

/** The first thing a follower met that a sound server spares him. */
export function misled({ name, streams }: Follower, epochs: readonly Epoch[]): string[] {
  let view: View = { possible: epochs, copied: 0 };
  let cursor = '';
  for (const [index, { opened, from, events, end }] of streams.entries()) {
    const where = `${name}, stream ${index + 1}`;
    if (from !== cursor) return [`${where} goes on from "${from}" and not from "${cursor}"`];
    for (const event of events) {
      if (event.cursor === '') return [`${where}: ${tell(event)} without a cursor`];
      cursor = event.cursor;
      const { possible, copied } = current(step(view, event, opened, epochs), opened);
      if (possible.length === 0) {
        return [`${where}: ${tell(event)} where ${due(current(view, opened))} was due`];
      }
      view = { possible, copied };
    }
    const last = index === streams.length - 1;
    const allowed = last ? /^NOT_FOUND SESSION_DELETED$/ : /^cut$|^UNAVAILABLE /;
    if (!allowed.test(end)) return [`${where} ended with ${end}`];
  }
  const end = { ...view, possible: view.possible.filter((epoch) => epoch === epochs.at(-1)) };
  const complete = end.possible.some(({ log }) => log.length === end.copied);
  return complete ? [] : [`${name} ended where ${due(end)} was due`];
}

/** Redis is asked after a stream is opened: of an epoch that was over by then, it tells nothing. */
function current({ possible, copied }: View, opened: number): View {
  return { possible: possible.filter(({ over }) => over > opened), copied };
}

function step({ possible, copied }: View, event: Event, opened: number, epochs: readonly Epoch[]): View {
  switch (event.kind) {
    case 'turn':
      return { possible: possible.filter(({ log }) => same(log[copied], event.turn)), copied: copied + 1 };
    case 'reset': {
      const later = epochs.slice(epochs.indexOf(possible[0]!) + 1);
      return { possible: later.filter(({ reason }) => reason === event.reason), copied: 0 };
    }
    case 'caughtUp': {
      const isNew = ({ acknowledged }: Logged) => acknowledged > opened;
      return { possible: possible.filter(({ log }) => log.slice(copied).every(isNew)), copied };
    }
    case 'heartbeat':
      return { possible, copied };
  }
}

function tell(event: Event): string {
  if (event.kind === 'turn') return show(event.turn);
  return event.kind === 'reset' ? `a reset (${event.reason})` : event.kind;
}

function due({ possible, copied }: View): string {
  const turns = new Set(possible.map(({ log }) => show(log[copied])));
  return [...turns].slice(0, 3).join(' or ') || 'a reset';
}
