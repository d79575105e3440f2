/** The runs whose answers this process makes. */
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import { Slices } from '../slices.ts';
import { ActiveRun, type RunTools } from './active_run.ts';
import type { EarlyAnswer } from './early_answer.ts';
import type { Prompt, Prompts } from './prompts.ts';
import type { Hold } from './run.ts';

/** How long an abandoned run may take to say so. */
const LAST_WORDS: Milliseconds = 2000;
/** What all runs together may take of a turn of the event loop. */
const SLICE: Milliseconds = 10;

export class ActiveRuns {
  readonly #tools: RunTools;
  readonly #prompts: Prompts;
  readonly #active = new Map<ActiveRun, Promise<void>>();

  constructor(tools: Omit<RunTools, 'pause' | 'slices'>, prompts: Prompts) {
    this.#tools = { ...tools, pause: () => pauseAmong(this.#active.size), slices: new Slices(SLICE) };
    this.#prompts = prompts;
  }

  /** Makes the answer of a run that has started, whoever waits for it. `early`: the answer, where it was asked for. */
  add(key: SessionKey, hold: Hold, prompt: Prompt, early: EarlyAnswer | undefined): void {
    const { participantId, generation } = prompt;
    const run = new ActiveRun(this.#tools, key, hold, { participantId, model: generation.model });
    const over = run.answer(
      (held, signal) => early?.listen(signal) ?? this.#prompts.answer(key, held, prompt, signal),
    );
    this.#active.set(
      run,
      over.finally(() => this.#active.delete(run)),
    );
  }

  /** Whether the answer is made here: this process does not stop before it ended. */
  has(runId: string): boolean {
    return [...this.#active.keys()].some((run) => run.runId === runId);
  }

  /** Whether a run of a session is answered here. */
  answers(key: SessionKey): boolean {
    return [...this.#active.keys()].some((run) => run.isOf(key));
  }

  /** Lets runs end by themselves for a while, and abandons the rest. */
  async stop(grace: Milliseconds): Promise<void> {
    if (await this.#overWithin(grace)) return;
    for (const run of this.#active.keys()) run.abandon();
    await this.#overWithin(LAST_WORDS);
  }

  async #overWithin(time: Milliseconds): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), time);
    });
    const over = Promise.all(this.#active.values()).then(() => true);
    const inTime = await Promise.race([over, late]);
    clearTimeout(timer);
    return inTime;
  }
}

/** How long deltas are gathered: a few milliseconds, and longer where hundreds of runs share a process. */
function pauseAmong(runs: number): Milliseconds {
  return Math.min(8 + runs / 5, 100);
}
