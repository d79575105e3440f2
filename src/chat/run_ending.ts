/** Ends runs that somebody else writes: takes one away from whoever does, and ends it with what was said. */
import { ParleyError } from '../errors.ts';
import type { SessionKey } from '../sessions/session.ts';
import type { RunEnder } from '../sessions/store.ts';
import { type Delta, partsOf } from './answer.ts';
import type { FinishReason } from './content.ts';
import type { Hold, Run, RunLog } from './run.ts';
import type { RunEncoder } from './run_encoder.ts';
import type { TurnCounter } from './tokens.ts';

export class RunEnding implements RunEnder {
  readonly #log: RunLog;
  readonly #encoder: RunEncoder;
  readonly #count: TurnCounter;

  constructor(log: RunLog, encoder: RunEncoder, count: TurnCounter) {
    this.#log = log;
    this.#encoder = encoder;
    this.#count = count;
  }

  async end(key: SessionKey, runId: string, said: 'KEEP' | 'DROP'): Promise<void> {
    const hold = await this.#log.take(key, runId);
    if (hold) await this.#finish(key, hold, said === 'KEEP', undefined);
  }

  /** Ends the run of a session whose process let its lease pass; until when it is held, if it is. */
  async endExpired(key: SessionKey): Promise<number | undefined> {
    const taken = await this.#log.takeExpired(key);
    if (!taken) return undefined;
    if ('heldUntil' in taken) return taken.heldUntil;
    await this.#finish(key, taken, true, abandoned());
    return undefined;
  }

  /** Whoever took it too may be faster, and then it is over as well. */
  async #finish(key: SessionKey, hold: Hold, keep: boolean, error: ParleyError | undefined): Promise<void> {
    const { runId } = hold;
    const { run, deltas } = await this.#told(key, runId);
    const parts = partsOf(deltas);
    const offset = run.lastOffset + 1;
    const finishReason: FinishReason = error ? 'ERROR' : 'CANCELLED';
    const status = error ? this.#encoder.status(error) : new Uint8Array();
    await this.#log.finish(key, hold, {
      status: error ? 'FAILED' : 'CANCELLED',
      offset,
      event: error ? this.#encoder.failed(runId, offset, status) : this.#encoder.cancelled(runId, offset),
      error: status,
      turn:
        keep && parts.length > 0
          ? this.#encoder.turn({
              runId,
              participantId: run.participantId,
              model: run.model,
              parts,
              tokenCount: (
                await this.#count([{ role: 'ASSISTANT', participantId: run.participantId, parts }])
              )[0]!,
              usage: undefined,
              finishReason,
              status: 'PARTIAL',
            })
          : undefined,
    });
  }

  /** A run and all it said: nothing, when its events are gone; it has to end all the same. */
  async #told(key: SessionKey, runId: string): Promise<{ run: Told; deltas: Delta[] }> {
    const deltas: Delta[] = [];
    for (let offset = 0; ; ) {
      const page = await this.#log.read(key, runId, offset);
      if (!page) return { run: { participantId: '', model: '', lastOffset: 0 }, deltas };
      deltas.push(...this.#encoder.deltas(page.frames));
      offset = page.lastOffset;
      if (!page.more) return { run: page.run, deltas };
    }
  }
}

type Told = Pick<Run, 'participantId' | 'model' | 'lastOffset'>;

/** ABORTED `RUN_ABANDONED`: nobody goes on with it. */
export function abandoned(): ParleyError {
  return new ParleyError('RUN_ABANDONED', 'the server process that answered is gone; what was said is kept');
}
