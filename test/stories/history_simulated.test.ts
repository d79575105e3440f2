/** The checker against a log and followers that are sound by construction, and against one mistake in them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forAll } from '../property.ts';
import { complaints, type Event, type History, type Said, type Stream, type Write } from './history.ts';

const FOLLOWERS = 2;

const follower = fc.nat(FOLLOWERS - 1);
const step = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('remove' as const), keep: fc.nat(12) }),
  fc.record({ kind: fc.constant('look' as const), follower }),
  fc.record({ kind: fc.constant('receive' as const), follower, count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('cut' as const), follower }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
const steps = fc.array(step, { maxLength: 60 });

it('a sound history has no complaints, whatever happens in it', () => {
  forAll([steps], (all) => expect(complaints(simulate(all))).toEqual([]), 500);
});

it.each<[string, (events: Event[], at: number) => void]>([
  ['lost', (events, at) => events.splice(at, 1)],
  ['repeated', (events, at) => events.splice(at, 0, events[at]!)],
  ['sent before the one it follows', (events, at) => events.splice(at, 2, events[at + 1]!, events[at]!)],
])('a turn that is %s is found out', (_, spoil) => {
  forAll([steps, follower, fc.nat()], (all, reader, choice) => {
    const history = simulate([...all, { kind: 'append', count: 2 }]);
    const { streams } = history.followers[reader]!;
    const { end } = streams.at(-1)!;
    const told = streams.flatMap(({ events }) => events);
    // The last turn before a reset is not missed: the server may reset at any time.
    const followed = told.flatMap(({ kind }, at) =>
      kind === 'turn' && told[at + 1]?.kind === 'turn' ? at : [],
    );
    const at = followed[choice % followed.length]!;
    const check = (events: Event[]) =>
      complaints({ ...history, followers: [{ name: 'one', streams: [{ ...streams[0]!, events, end }] }] });
    expect(check(told)).toEqual([]);
    spoil(told, at);
    expect(check(told)).toHaveLength(1);
  });
});

function simulate(steps: readonly Step[]): History {
  const server = new SoundLog();
  const readers = Array.from({ length: FOLLOWERS }, () => new Reader(server));
  for (const step of steps) {
    if (step.kind === 'append') server.append(step.count);
    else if (step.kind === 'remove') server.remove(step.keep);
    else if (step.kind === 'look') readers[step.follower]!.look();
    else if (step.kind === 'receive') readers[step.follower]!.receive(step.count);
    else readers[step.follower]!.cut();
  }
  server.append(1);
  for (const reader of readers) {
    reader.look();
    reader.receive(Number.POSITIVE_INFINITY);
    reader.cut('NOT_FOUND SESSION_DELETED');
  }
  const followers = readers.map(({ streams }, index) => ({ name: `reader ${index}`, streams }));
  return { writes: server.writes, followers, log: server.log };
}

class SoundLog {
  readonly writes: Write[] = [];
  readonly resets: string[] = [];
  log: Said[] = [];
  moment = 0;
  #last = 0;

  append(count: number): void {
    const turns = Array.from({ length: count }, () => ({ seq: ++this.#last, text: `t${this.#last}` }));
    this.log = [...this.log, ...turns];
    this.writes.push({ kind: 'append', texts: turns.map(({ text }) => text), turns, ...this.#span() });
  }

  /** Keeps some of the first turns; none are a clear. */
  remove(keep: number): void {
    const removed = this.log.length - keep;
    if (removed <= 0) return;
    const reason = keep === 0 ? 'CLEARED' : 'REWOUND';
    const toSeq = this.log[keep - 1]?.seq ?? 0;
    this.log = this.log.slice(0, keep);
    this.resets.push(reason);
    this.writes.push({ kind: 'removal', reason, toSeq, removed, next: this.#last + 1, ...this.#span() });
  }

  #span() {
    return { sent: ++this.moment, acknowledged: ++this.moment };
  }
}

/** A follower, and the server's end of his stream: what it has found and he has not yet received. */
class Reader {
  readonly streams: Stream[] = [];
  readonly #server: SoundLog;
  #opened = 0;
  #received: Event[] = [];
  #sent: Event[] = [];
  #cursor = '';
  #epoch: number | undefined;
  #position = 0;
  #caughtUp = false;

  constructor(server: SoundLog) {
    this.#server = server;
  }

  look(): void {
    const { resets, log } = this.#server;
    const current = resets.length;
    this.#epoch ??= current;
    if (this.#epoch < current) {
      [this.#epoch, this.#position] = [current, 0];
      this.#send({ kind: 'reset', reason: resets[current - 1]! });
    }
    for (const turn of log.slice(this.#position)) {
      this.#position++;
      this.#send({ kind: 'turn', turn });
    }
    if (!this.#caughtUp) this.#send({ kind: 'caughtUp' });
    this.#caughtUp = true;
  }

  receive(count: number): void {
    this.#received.push(...this.#sent.splice(0, count));
  }

  cut(end = 'cut'): void {
    this.streams.push({ opened: this.#opened, from: this.#cursor, events: this.#received, end });
    this.#cursor = this.#received.at(-1)?.cursor ?? this.#cursor;
    const [epoch, position] = this.#cursor.split('/').map(Number);
    [this.#epoch, this.#position] = this.#cursor ? [epoch, position!] : [undefined, 0];
    [this.#received, this.#sent, this.#caughtUp] = [[], [], false];
    this.#opened = ++this.#server.moment;
  }

  #send(
    event: { kind: 'turn'; turn: Said } | { kind: 'reset'; reason: string } | { kind: 'caughtUp' },
  ): void {
    this.#sent.push({ ...event, cursor: `${this.#epoch}/${this.#position}` });
  }
}
