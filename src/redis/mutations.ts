/**
 * The mutations of one session, in line inside this process.
 *
 * A mutation reads a session, decides, and writes it back if nobody wrote in
 * between. Callers of one process would only get in each other's way, so they
 * line up, and the compare-and-set meets other processes alone. Nobody waits
 * for the write before him to be acknowledged: he decides on what it will have
 * made of the session (the head of the line), and Redis, which gets the writes
 * in this order, refuses them all if one does not take.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Activity, Session } from '../sessions/session.ts';
import type { Caller, Decision, Mutated } from '../sessions/store.ts';
import { Slices } from '../slices.ts';

/** A session as a mutation is decided on: undefined when there is none. */
export interface Base {
  readonly session: Session | undefined;
  readonly activity: Activity;
}

/** What became of a write. */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly activity: Activity }
  | { readonly kind: 'replay'; readonly mutated: Mutated<T> }
  /** Somebody else wrote; this is what is there now. */
  | { readonly kind: 'conflict'; readonly current: Base };

/** Decides on a session as it was, and on the seq of its newest turn. */
export type Decide<T> = (session: Session | undefined, lastTurnSeq: number) => Decision<T>;

/** What one mutation needs of its session's storage. */
export interface Steps<T> {
  /** What the session was a moment ago, where that is at hand. */
  recall(): Base | undefined;
  /** What it is. */
  load(): Promise<Base | { replay: Mutated<T> }>;
  write(base: Base, decision: Decision<T>): Promise<Outcome<T>>;
}

/** A session as it will be once the writes under way are acknowledged. */
interface Head extends Base {
  readonly written: Promise<Outcome<unknown>>;
  /** Shared by all that were decided on each other's outcome. */
  readonly lineage: { broken: boolean };
}

interface Line {
  members: number;
  /** Ends when those before have decided; undefined when nobody is deciding. */
  turn: Promise<unknown> | undefined;
  head: Head | undefined;
}

type Attempt<T> =
  | { readonly mutated: Mutated<T>; readonly after?: Head | undefined }
  | { readonly refusal: unknown; readonly after: Head | undefined }
  | { readonly decision: Decision<T>; readonly head: Head };

/** What deciding may take of a turn of the event loop, in milliseconds: of large sessions each decision takes some. */
const SLICE = 20;

const slices = new Slices(SLICE);

export class Mutations {
  readonly #lines = new Map<string, Line>();

  /** `known`: what the session is believed to be, where asking can be saved. */
  async run<T>(
    id: string,
    caller: Caller,
    decide: Decide<T>,
    steps: Steps<T>,
    known?: Base,
  ): Promise<Mutated<T>> {
    const line = this.#join(id);
    try {
      for (let attempt = 0; ; attempt++) {
        const trying = inTurn(line, () => this.#try(line, caller, decide, steps, known));
        const tried = trying instanceof Promise ? await trying : trying;
        known = undefined;
        if (!('decision' in tried)) {
          const activity = tried.after && (await took(tried.after));
          if (tried.after && !activity) continue;
          if (!('refusal' in tried)) return { ...tried.mutated, ...(activity && { activity }) };
          // One of the writes it was decided on may be this operation's own, sent before.
          const loaded = tried.after && caller.operation ? await steps.load() : undefined;
          if (loaded && 'replay' in loaded) return loaded.replay;
          throw tried.refusal;
        }
        let outcome: Outcome<unknown> | undefined;
        try {
          outcome = await tried.head.written;
        } finally {
          settle(line, tried.head, outcome);
        }
        if (outcome.kind === 'done') return { answer: tried.decision.answer, activity: outcome.activity };
        if (outcome.kind === 'replay') return outcome.mutated as Mutated<T>;
        known = outcome.current;
        // Two processes that keep colliding get out of step.
        if (attempt > 2) await sleep(Math.random() * Math.min(2 ** attempt, 50));
      }
    } finally {
      this.#leave(id, line);
    }
  }

  /** Takes over or reads, decides, and sends the write, without waiting for it; nor for anything else, unless it reads. */
  #try<T>(
    line: Line,
    caller: Caller,
    decide: Decide<T>,
    steps: Steps<T>,
    known: Base | undefined,
  ): Attempt<T> | Promise<Attempt<T>> {
    const due = slices.whenDue();
    if (due) return due.then(() => this.#try(line, caller, decide, steps, known));
    caller.throwIfOver();
    const recalled = line.head || known ? undefined : steps.recall();
    const base = line.head ?? known ?? recalled;
    const decided = base && attempt(decide, base);
    // Nobody is refused, and nothing left undone, on what may be out of date.
    if (base && decided && (!recalled || writes(decided)))
      return this.#send(line, caller, steps, base, decided);
    return steps
      .load()
      .then((loaded) =>
        'replay' in loaded
          ? { mutated: loaded.replay }
          : this.#send(line, caller, steps, loaded, attempt(decide, loaded)),
      );
  }

  #send<T>(line: Line, caller: Caller, steps: Steps<T>, base: Base, decided: Decided<T>): Attempt<T> {
    const before = line.head;
    if ('refusal' in decided) return { ...decided, after: before };
    const { decision } = decided;
    // With a request id the answer must be remembered, even when nothing changes.
    if (decision.write === undefined && !caller.operation) {
      return { mutated: { answer: decision.answer, activity: base.activity }, after: before };
    }
    const head: Head = {
      session: decision.write === undefined ? base.session : (decision.write ?? undefined),
      activity: base.activity,
      written: steps.write(base, decision),
      lineage: before?.lineage ?? { broken: false },
    };
    head.written.catch(() => {}); // everybody who waits for it hears of it
    line.head = head;
    return { decision, head };
  }

  #join(id: string): Line {
    let line = this.#lines.get(id);
    if (!line) {
      line = { members: 0, turn: undefined, head: undefined };
      this.#lines.set(id, line);
    }
    line.members++;
    return line;
  }

  #leave(id: string, line: Line): void {
    if (--line.members === 0) this.#lines.delete(id);
  }
}

type Decided<T> = { readonly decision: Decision<T> } | { readonly refusal: unknown };

function attempt<T>(decide: Decide<T>, { session, activity }: Base): Decided<T> {
  try {
    return { decision: decide(session, activity.lastTurnSeq) };
  } catch (refusal) {
    return { refusal };
  }
}

function writes<T>(decided: Decided<T>): boolean {
  return 'decision' in decided && decided.decision.write !== undefined;
}

/** Works when those before have; at once when there are none. */
function inTurn<T>(line: Line, work: () => T | Promise<T>): T | Promise<T> {
  const result = line.turn ? line.turn.then(work) : work();
  if (!(result instanceof Promise)) return result;
  const over = () => {
    if (line.turn === turn) line.turn = undefined;
  };
  const turn = result.then(over, over);
  line.turn = turn;
  return result;
}

/** Takes a write whose outcome is known, none being a failure, off the line when nobody may build on it any more. */
function settle(line: Line, head: Head, outcome: Outcome<unknown> | undefined): void {
  if (outcome?.kind !== 'done') head.lineage.broken = true;
  if (line.head === head || line.head?.lineage.broken) line.head = undefined;
}

/** The activity after a write somebody else waits for, if it took; it has its own waiter for errors. */
async function took(head: Head): Promise<Activity | undefined> {
  try {
    const outcome = await head.written;
    return outcome.kind === 'done' ? outcome.activity : undefined;
  } catch {
    return undefined;
  }
}
