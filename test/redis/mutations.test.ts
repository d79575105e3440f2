import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { NO_ACTIVITY } from '../../src/redis/activity.ts';
import { type Base, type Decide, Mutations, type Outcome, type Steps } from '../../src/redis/mutations.ts';
import { newEtag } from '../../src/sessions/changes.ts';
import type { Session } from '../../src/sessions/session.ts';
import type { Caller, Decision } from '../../src/sessions/store.ts';
import { aCaller, aSession } from '../session_fixture.ts';

const caller = aCaller();

/** A store of one session: compare-and-set by etag, in the order of the calls, each after a moment. */
class SlowStore {
  session: Session | undefined = aSession({ tokenBudget: 0 });
  readonly remembered = new Map<string, unknown>();
  loads = 0;
  writes = 0;
  /** Runs right before the next write is decided, as another process would. */
  meanwhile: (() => void) | undefined;

  steps<T>(requestId?: string): Steps<T> {
    return {
      recall: () => undefined,
      load: async () => {
        this.loads++;
        const session = this.session;
        const replay = requestId !== undefined && this.remembered.has(requestId);
        const answer = this.remembered.get(requestId ?? '') as T;
        await sleep(1);
        return replay ? { replay: { answer, activity: NO_ACTIVITY } } : asBase(session);
      },
      write: (base, decision) => this.#write(base, decision, requestId),
    };
  }

  async #write<T>(base: Base, decision: Decision<T>, requestId?: string): Promise<Outcome<T>> {
    this.writes++;
    const meanwhile = this.meanwhile;
    this.meanwhile = undefined;
    meanwhile?.();
    const outcome = this.#compareAndSet(base, decision, requestId);
    await sleep(2);
    return outcome;
  }

  #compareAndSet<T>({ session: base }: Base, { answer, write }: Decision<T>, requestId?: string): Outcome<T> {
    if (requestId !== undefined && this.remembered.has(requestId)) {
      const answer = this.remembered.get(requestId) as T;
      return { kind: 'replay', mutated: { answer, activity: NO_ACTIVITY } };
    }
    if (base?.etag !== this.session?.etag) return { kind: 'conflict', current: asBase(this.session) };
    if (requestId !== undefined) this.remembered.set(requestId, answer);
    if (write !== undefined) this.session = write ?? undefined;
    return { kind: 'done', activity: NO_ACTIVITY };
  }
}

function asBase(session: Session | undefined): Base {
  return { session, activity: NO_ACTIVITY };
}

/** Runs a mutation; the answer alone. */
async function run<T>(
  mutations: Mutations,
  caller: Caller,
  decide: Decide<T>,
  steps: Steps<T>,
  known?: Base,
  id = 'id',
): Promise<T> {
  return (await mutations.run(id, caller, decide, steps, known)).answer;
}

function increment(session: Session | undefined): Decision<number> {
  const next = { ...session!, tokenBudget: session!.tokenBudget + 1, etag: newEtag() };
  return { answer: next.tokenBudget, write: next };
}

/** Somebody who may do something once. */
function onlyFromZero(session: Session | undefined): Decision<number> {
  if (session!.tokenBudget > 0) throw new Error('too late');
  return increment(session);
}

describe('the mutations of one session', () => {
  it('build on each other without waiting for each other', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    const runs = Array.from({ length: 16 }, () => run(mutations, caller, increment, store.steps<number>()));
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 16 }, (_, at) => at + 1));
    expect(store).toMatchObject({ loads: 1, writes: 16, session: { tokenBudget: 16 } });
  });

  it('are decided again when somebody else wrote first, all that built on it included', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    store.meanwhile = () => {
      store.session = { ...store.session!, tokenBudget: 100, etag: newEtag() };
    };
    const runs = Array.from({ length: 8 }, () => run(mutations, caller, increment, store.steps<number>()));
    expect((await Promise.all(runs)).toSorted()).toEqual([101, 102, 103, 104, 105, 106, 107, 108]);
    expect(store.session?.tokenBudget).toBe(108);
  });

  it('let others have their turns, however long deciding takes', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    const turns = new Set<number>();
    let turn = 0;
    const counting = setInterval(() => turn++, 0);
    const slowly: Decide<null> = (session) => {
      for (const since = performance.now(); performance.now() - since < 5; );
      turns.add(turn);
      return { write: { ...session!, etag: newEtag() }, answer: null };
    };
    await Promise.all(Array.from({ length: 40 }, () => run(mutations, caller, slowly, store.steps<null>())));
    clearInterval(counting);
    expect(turns.size).toBeGreaterThan(4);
  });

  it('of two processes lose nothing to each other', async () => {
    const store = new SlowStore();
    const processes = [new Mutations(), new Mutations(), new Mutations()];
    const runs = Array.from({ length: 48 }, (_, at) =>
      run(processes[at % 3]!, caller, increment, store.steps<number>()),
    );
    const answers = await Promise.all(runs);
    expect(answers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 48 }, (_, at) => at + 1));
    expect(store.session?.tokenBudget).toBe(48);
  });

  it('that are refused behind a write that did not take are decided again', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    store.meanwhile = () => {
      store.session = { ...store.session!, displayName: 'theirs', etag: newEtag() };
    };
    // The first never takes: decided again, it changes nothing. The second was refused because of it.
    const first = run(
      mutations,
      caller,
      (session) => (session!.displayName === 'theirs' ? { answer: 0 } : increment(session)),
      store.steps<number>(),
    );
    const second = run(mutations, caller, onlyFromZero, store.steps<number>());
    expect(await Promise.all([first, second])).toEqual([0, 1]);
  });

  it('that are refused behind a write that took stay refused', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    const first = run(mutations, caller, onlyFromZero, store.steps<number>());
    const second = run(mutations, caller, onlyFromZero, store.steps<number>());
    await expect(second).rejects.toThrow('too late');
    expect(await first).toBe(1);
  });

  it('that need no write are not answered from one that did not take', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    store.meanwhile = () => {
      store.session = { ...store.session!, tokenBudget: 100, etag: newEtag() };
    };
    const first = run(mutations, caller, onlyFromZero, store.steps<number>());
    const second = run(
      mutations,
      caller,
      (session) => ({ answer: session!.tokenBudget }),
      store.steps<number>(),
    );
    await expect(first).rejects.toThrow('too late');
    expect(await second).toBe(100);
  });

  it('go on after a write that failed, on what is really there', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    const failing: Steps<number> = {
      ...store.steps<number>(),
      write: () => sleep(2).then(() => Promise.reject(new Error('away'))),
    };
    const first = run(mutations, caller, increment, failing);
    const others = [1, 2, 3].map(() => run(mutations, caller, increment, store.steps<number>()));
    await expect(first).rejects.toThrow('away');
    expect((await Promise.all(others)).toSorted()).toEqual([1, 2, 3]);
  });

  it('go on after a read that failed', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    const failing: Steps<number> = {
      ...store.steps<number>(),
      load: () => Promise.reject(new Error('away')),
    };
    const first = run(mutations, caller, increment, failing);
    const second = run(mutations, caller, increment, store.steps<number>());
    await expect(first).rejects.toThrow('away');
    expect(await second).toBe(1);
  });

  it('are not begun for somebody who left while he stood in line', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    const first = run(mutations, caller, increment, store.steps<number>());
    const gone = {
      ...caller,
      throwIfOver: () => {
        throw new Error('left');
      },
    };
    await expect(run(mutations, gone, increment, store.steps<number>())).rejects.toThrow('left');
    await first;
    expect(store.writes).toBe(1);
  });

  it('of other sessions do not stand in the same line', async () => {
    const mutations = new Mutations();
    const [stuck, free] = [new SlowStore(), new SlowStore()];
    const never: Steps<number> = { ...stuck.steps<number>(), load: () => new Promise(() => {}) };
    void mutations.run('stuck', caller, increment, never);
    expect(await run(mutations, caller, increment, free.steps<number>(), undefined, 'free')).toBe(1);
  });

  it('use what is known of the session, and read it only when that was wrong', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    const create = (current: Session | undefined): Decision<string> =>
      current ? { answer: 'there already' } : { write: aSession(), answer: 'created' };
    const absent = asBase(undefined);
    expect(await run(mutations, caller, create, store.steps<string>(), absent)).toBe('there already');
    store.session = undefined;
    expect(await run(mutations, caller, create, store.steps<string>(), absent)).toBe('created');
    expect(store).toMatchObject({ loads: 0, writes: 2 });
  });

  it('trust what they recall for a write only, which is checked', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    const old = { ...store.session!, tokenBudget: 50, etag: 'old' };
    const recalling = { ...store.steps<number>(), recall: () => asBase(old) };
    expect(await run(mutations, caller, increment, recalling)).toBe(1);
    const tooMany = (session: Session | undefined): Decision<number> => {
      if (session!.tokenBudget > 10) throw new Error('refused on a memory');
      return { answer: session!.tokenBudget };
    };
    expect(await run(mutations, caller, tooMany, recalling)).toBe(1);
    expect(store.session?.tokenBudget).toBe(1);
  });
});

describe('a repeated mutation', () => {
  it('gets its first answer, whether it comes at once, meanwhile or later', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    const repeated = aCaller('again');
    const once = () => run(mutations, repeated, onlyFromZero, store.steps<number>('again'));
    const [first, meanwhile] = [once(), once()];
    expect(await Promise.all([first, meanwhile])).toEqual([1, 1]);
    expect(await once()).toBe(1);
    expect(store.session?.tokenBudget).toBe(1);
  });

  it('gets it behind writes of others as well', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    const repeated = aCaller('again');
    const once = () => run(mutations, repeated, onlyFromZero, store.steps<number>('again'));
    const other = () => run(mutations, caller, increment, store.steps<number>());
    expect(await Promise.all([once(), other(), once(), other()])).toEqual([1, 2, 1, 3]);
  });

  it('is remembered even when it changed nothing', async () => {
    const [mutations, store] = [new Mutations(), new SlowStore()];
    const look = (session: Session | undefined): Decision<number> => ({ answer: session!.tokenBudget });
    expect(await run(mutations, aCaller('look'), look, store.steps<number>('look'))).toBe(0);
    await run(mutations, caller, increment, store.steps<number>());
    expect(await run(mutations, aCaller('look'), look, store.steps<number>('look'))).toBe(0);
  });
});

describe('the lines of mutations', () => {
  it('are forgotten with the last who stands in them', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const mutations = new Mutations();
    const written = await (async () => {
      const store = new SlowStore();
      await Promise.allSettled([
        run(mutations, caller, increment, store.steps<number>()),
        run(mutations, caller, onlyFromZero, store.steps<number>()),
        run(mutations, caller, increment, store.steps<number>()),
      ]);
      return new WeakRef(store.session!);
    })();
    await vi.waitFor(() => {
      collectGarbage();
      expect(written.deref() === undefined).toBe(true); // a failure must not hold on to it
    });
    expect(mutations).toBeDefined();
  });
});
