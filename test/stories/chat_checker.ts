/**
 * What listeners to one run recorded, and what must be true of it: everybody was
 * told the same events, each once and in order, from `started` to exactly one
 * last event, however often he was cut off; and what was said in deltas is what
 * the log keeps.
 */
export interface RunHistory {
  readonly listeners: readonly RunListener[];
  /** The text of the turn the run left, as ListTurns gives it; undefined when it left none. */
  readonly kept: string | undefined;
  /** How streams may end that nobody cut, besides OK. */
  readonly interruptions?: readonly string[];
}

/** One who wants all of a run, in as many streams as it takes. */
export interface RunListener {
  readonly name: string;
  readonly streams: readonly RunStream[];
}

export interface RunStream {
  /** The offset it went on from; 0 for the beginning. */
  readonly after: number;
  readonly events: readonly Told[];
  /** `OK`, `cut` by the story, or the status it ended with: `UNAVAILABLE SERVER_STOPPING`. */
  readonly end: string;
}

/** A ChatEvent as far as it matters here. */
export interface Told {
  readonly offset: number;
  /** `started`, `text`, `completed` … */
  readonly kind: string;
  /** A text delta, or the text of the turn a last event tells of; empty when there is none. */
  readonly text: string;
  /** All of it, the same for equal events. */
  readonly whole: string;
}

const LAST = new Set(['completed', 'failed', 'cancelled']);

/** Everything that is wrong with a history; nothing when it is sound. */
export function runComplaints({ listeners, kept, interruptions = [] }: RunHistory): string[] {
  const first = new Map<number, Told>();
  return listeners.flatMap((listener) => [
    ...misheard(listener, interruptions),
    ...contradictions(listener, first),
    ...misquoted(listener, kept),
  ]);
}

/** What is wrong with the order of events, and with how the streams began and ended. */
function misheard({ name, streams }: RunListener, interruptions: readonly string[]): string[] {
  const found: string[] = [];
  let last = 0;
  let over = false;
  for (const [index, { after, events, end }] of streams.entries()) {
    const where = `${name}, stream ${index + 1}`;
    if (after !== last) found.push(`${where} goes on after ${after} and not after ${last}`);
    last = after;
    for (const { offset, kind } of events) {
      if (offset !== last + 1) found.push(`${where}: offset ${offset} where ${last + 1} was due`);
      if (over) found.push(`${where}: ${kind} after the last event`);
      if ((kind === 'started') !== (offset === 1)) found.push(`${where}: ${kind} at offset ${offset}`);
      over ||= LAST.has(kind);
      last = offset;
    }
    if (end === 'OK' ? !over : end !== 'cut' && !interruptions.includes(end)) {
      found.push(`${where} ended with ${end}${over ? '' : ' before the last event'}`);
    }
  }
  if (!over) found.push(`${name} was told of no end`);
  return found;
}

/** Events that differ from what somebody was told at the same offset; `first`: what the first was told. */
function contradictions({ name, streams }: RunListener, first: Map<number, Told>): string[] {
  const found: string[] = [];
  for (const told of streams.flatMap(({ events }) => events)) {
    const known = first.get(told.offset) ?? told;
    first.set(told.offset, known);
    if (known.whole !== told.whole) found.push(`${name}: another ${told.kind} at offset ${told.offset}`);
  }
  return found;
}

/** What was said, against what is kept of it. */
function misquoted({ name, streams }: RunListener, kept: string | undefined): string[] {
  const events = streams.flatMap(({ events }) => events);
  const said = events.filter(({ kind }) => kind === 'text').map(({ text }) => text);
  const end = events.find(({ kind }) => LAST.has(kind));
  const found: string[] = [];
  if (said.join('') !== (kept ?? ''))
    found.push(`${name} heard ${quoted(said.join(''))}, kept is ${quoted(kept)}`);
  if (end && end.text !== (kept ?? ''))
    found.push(`${name}: ${end.kind} says ${quoted(end.text)}, kept is ${quoted(kept)}`);
  return found;
}

function quoted(text: string | undefined): string {
  if (text === undefined) return 'nothing';
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 20)} … ${text.slice(-30)}` : text);
}
