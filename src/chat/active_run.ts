/**
 * A run in the process that makes its answer: asks, writes what is said, and
 * ends it, whoever is listening or gone. What it writes counts only as long as
 * this process holds the run.
 */
import { ParleyError } from '../errors.ts';
import type { AnswerPiece } from '../models/model.ts';
import type { Milliseconds, SessionKey } from '../sessions/session.ts';
import type { Slices } from '../slices.ts';
import { type Delta, partsOf } from './answer.ts';
import type { FinishReason, Usage } from './content.ts';
import { Outbox } from './outbox.ts';
import { persistently } from './persistently.ts';
import type { Hold, RunEnd, RunLog, RunNews } from './run.ts';
import type { RunEncoder } from './run_encoder.ts';
import { abandoned } from './run_ending.ts';
import type { TurnCounter } from './tokens.ts';

/** What a run is written with. */
export interface RunTools {
  readonly log: RunLog;
  readonly encoder: RunEncoder;
  readonly count: TurnCounter;
  /** Tells whoever reads the run in this process what is in its log by now: Redis tells everybody, but later. */
  readonly tell: (key: SessionKey, news: RunNews) => void;
  /** How long to gather deltas. */
  readonly pause: () => Milliseconds;
  /** Shared by all runs of the process. */
  readonly slices: Slices;
  /** Tells of an error nobody foresaw. */
  readonly defect: (error: unknown) => void;
}

/** Thrown inside when the run is another's by now. */
class Lost extends Error {}

export class ActiveRun {
  readonly #tools: RunTools;
  readonly #key: SessionKey;
  readonly #hold: Hold;
  readonly #model: string;
  readonly #participantId: string;
  readonly #abort = new AbortController();
  readonly #deltas: Delta[] = [];
  #offset = 1; // it has started

  constructor(
    tools: RunTools,
    key: SessionKey,
    hold: Hold,
    { model, participantId }: { model: string; participantId: string },
  ) {
    this.#tools = tools;
    this.#key = key;
    this.#hold = hold;
    this.#model = model;
    this.#participantId = participantId;
  }

  get runId(): string {
    return this.#hold.runId;
  }

  isOf({ namespace, sessionId }: SessionKey): boolean {
    return this.#key.namespace === namespace && this.#key.sessionId === sessionId;
  }

  /** Makes the answer of the pieces that come. Never rejects; returns when the run is over, or another's. */
  async answer(ask: (hold: Hold, signal: AbortSignal) => AsyncIterable<AnswerPiece>): Promise<void> {
    const { log } = this.#tools;
    const renewal = setInterval(() => void this.#renew(), log.lease / 3);
    // Who ends the run elsewhere is heard of at once; whatever is not heard, the next write tells.
    const listening = log.listen(this.#key, (news) => {
      if (news?.runId === this.#hold.runId && news.turnSeq !== undefined) this.#abort.abort(new Lost());
    });
    try {
      await this.#finish(await this.#listenTo(ask(this.#hold, this.#abort.signal)));
    } catch (error) {
      if (!(error instanceof Lost)) this.#tools.defect(error);
    } finally {
      clearInterval(renewal);
      void listening.then((hangUp) => hangUp());
      this.#abort.abort(new Lost());
    }
  }

  /** Ends it as abandoned, with what was said. */
  abandon(): void {
    this.#abort.abort(abandoned());
  }

  /** How the answer ended, with all of it written. */
  async #listenTo(pieces: AsyncIterable<AnswerPiece>): Promise<Outcome> {
    const { signal } = this.#abort;
    const outbox = new Outbox((deltas) => this.#write(deltas), this.#tools.pause);
    let outcome: Outcome | undefined;
    try {
      for await (const piece of pieces) {
        if (piece.kind === 'end') {
          outcome = piece;
          continue;
        }
        this.#deltas.push(piece);
        const behind = outbox.add(piece) ?? this.#tools.slices.whenDue();
        if (behind) await behind;
        signal.throwIfAborted();
      }
      await outbox.flush();
      if (!outcome) throw new Error('an answer without an end');
      return outcome;
    } catch (error) {
      if (error instanceof Lost || signal.reason instanceof Lost) throw new Lost();
      await this.#flushed(outbox);
      if (error instanceof ParleyError) return { error };
      this.#tools.defect(error);
      return { error: new ParleyError('INTERNAL', 'the answer failed by a defect of the server') };
    }
  }

  /** What was said before it went wrong is written too; if that cannot be, its end cannot either. */
  async #flushed(outbox: Outbox): Promise<void> {
    try {
      await outbox.flush();
    } catch (error) {
      if (error instanceof Lost) throw error;
    }
  }

  async #write(deltas: readonly Delta[]): Promise<void> {
    const { log, encoder, tell } = this.#tools;
    const { runId } = this.#hold;
    const first = this.#offset + 1;
    const events = deltas.map((delta, index) => encoder.delta(runId, first + index, delta));
    if (!(await persistently(() => log.write(this.#key, this.#hold, first, events)))) {
      this.#abort.abort(new Lost());
      throw new Lost();
    }
    this.#offset += events.length;
    tell(this.#key, { runId, offset: first, frames: Buffer.concat(events), turnSeq: undefined });
  }

  async #finish(outcome: Outcome): Promise<void> {
    for (;;) {
      const end = await this.#endOf(outcome);
      const done = await persistently(() => this.#tools.log.finish(this.#key, this.#hold, end));
      if (typeof done === 'string') return;
      this.#offset = done.lastOffset;
    }
  }

  async #endOf(outcome: Outcome): Promise<RunEnd> {
    const { encoder, count } = this.#tools;
    const { runId } = this.#hold;
    const offset = this.#offset + 1;
    const parts = partsOf(this.#deltas);
    const failed = 'error' in outcome;
    const { usage, finishReason } = failed ? ({ usage: undefined, finishReason: 'ERROR' } as const) : outcome;
    const turn = encoder.turn({
      runId,
      participantId: this.#participantId,
      model: this.#model,
      parts,
      tokenCount: (await count([{ role: 'ASSISTANT', participantId: this.#participantId, parts }]))[0]!,
      usage,
      finishReason,
      status: failed ? 'PARTIAL' : 'COMPLETE',
    });
    if (!failed) {
      const event = encoder.completed(runId, offset, usage, finishReason);
      return { status: 'COMPLETED', offset, event, error: new Uint8Array(), turn };
    }
    const error = encoder.status(outcome.error);
    const event = encoder.failed(runId, offset, error);
    return { status: 'FAILED', offset, event, error, turn: parts.length > 0 ? turn : undefined };
  }

  /** A sign of life. */
  async #renew(): Promise<void> {
    try {
      if (!(await this.#tools.log.write(this.#key, this.#hold, 0, []))) this.#abort.abort(new Lost());
    } catch {
      // Redis is away; there is another one before the lease is over.
    }
  }
}

type Outcome =
  | { readonly finishReason: FinishReason; readonly usage: Usage | undefined }
  | { readonly error: ParleyError };
