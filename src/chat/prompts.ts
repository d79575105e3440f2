/** From a question to a prompt to an answer: what of the session a model is told, and who the model is. */
import { fieldInvalid, isUnavailable, ParleyError, sessionDeleted, sessionNotFound } from '../errors.ts';
import type { AnswerPiece, Generation, Models } from '../models/model.ts';
import { ECHO } from '../models/models.ts';
import { contextWindow } from '../models/windows.ts';
import { now } from '../sessions/clock.ts';
import {
  type ActiveSession,
  boundParticipants,
  isDeleted,
  type Participant,
  type SessionKey,
} from '../sessions/session.ts';
import type { Caller, SessionStore } from '../sessions/store.ts';
import type { Templates } from '../templates/template.ts';
import type { Ask } from './ask.ts';
import { promptBudget, recallBudget, summaryBudget } from './budget.ts';
import type { PastTurn } from './content.ts';
import type { Context, Summary } from './context.ts';
import { type BuiltContext, buildContext, type ContextInput, type SeqRange } from './context_window.ts';
import { EarlyAnswer } from './early_answer.ts';
import { foldRange } from './fold.ts';
import { resolveGeneration } from './generation.ts';
import { type InsightReader, insightsTold } from './insights_told.ts';
import { persistently } from './persistently.ts';
import { questionOf } from './question.ts';
import type { Hold, RunLog } from './run.ts';
import { summarize } from './summarize.ts';
import type { SystemPiece } from './system_part.ts';
import { templateData } from './template_data.ts';
import type { TurnLog, TurnPage, TurnRange } from './turns.ts';

/** Turns read at a time. */
const PAGE = { count: 100, bytes: 256 * 1024 };

/** Finds what a session's documents say about a question. */
export interface Recall {
  /** What to tell the model, in so many tokens at most; empty when there is nothing. Never fails. */
  passages(key: SessionKey, question: string, tokens: number): Promise<string>;
}

/** What a prompt is made with. */
export interface PromptTools {
  readonly sessions: SessionStore;
  readonly turns: TurnLog;
  readonly runs: RunLog;
  readonly insights: InsightReader;
  readonly models: Models;
  readonly templates: Templates;
  readonly recall: Recall;
  /** Turns, given as frames. */
  readonly decode: (frames: Uint8Array) => PastTurn[];
  readonly defaultModel: string;
  readonly summaryModel: string;
}

/** A prompt, and what is known of the session it was made from. */
export interface Prompt extends BuiltContext {
  readonly participantId: string;
  readonly generation: Generation;
  /** The last turn there was. */
  readonly lastTurnSeq: number;
  /** Whether nobody answered. */
  readonly isIdle: boolean;
  readonly input: Omit<ContextInput, 'turns'>;
}

export class Prompts {
  readonly #tools: PromptTools;

  constructor(tools: PromptTools) {
    this.#tools = tools;
  }

  /** `to`: whether the session is only looked at, or about to be written. */
  async make(key: SessionKey, ask: Ask, caller: Caller, to: 'read' | 'write'): Promise<Prompt> {
    const [found, newest] = await Promise.all([
      this.#tools.sessions.readActive(key),
      this.#tools.turns.read(key, { ...PAGE, direction: 'BACKWARD', afterSeq: 0 }),
    ]);
    if (!found || !newest) throw sessionNotFound(key.sessionId);
    if (isDeleted(found.session)) throw sessionDeleted(key.sessionId, to);
    const { session } = found;
    const agent = answering(boundParticipants(session), ask.participantId);
    const { defaultModel } = this.#tools;
    const configs = session.configs.configs;
    const generation = resolveGeneration({ request: ask.generation, agent, configs, defaultModel });
    const tokenBudget = promptBudget(
      session.tokenBudget,
      contextWindow(generation.model),
      generation.maxTokens,
    );
    const participantId = agent?.participantId ?? '';
    const past = this.#pastOf(newest);
    const [system, insights, recalled] = await Promise.all([
      this.#system(key, found, agent, caller),
      insightsTold(this.#tools.insights, found, participantId, generation.model, tokenBudget),
      this.#recalled(key, found, ask, past, recallBudget(tokenBudget)),
    ]);
    const input = {
      tokenBudget,
      overflow: session.contextOverflow,
      generation,
      system: [...system, ...insights, { source: 'DOCUMENTS', text: recalled } as const],
      answering: participantId,
      summary: summaryOf(found),
      messages: ask.turns.map(({ said, tokenCount }) => ({ ...said, tokenCount })),
      turnCount: newest.state.turnCount,
    };
    const built = await buildContext({ ...input, turns: this.#backward(key, newest, past) });
    if (built.context.messages.length === 0) {
      throw fieldInvalid(
        'messages',
        'there is nothing to answer: the session has no turns, and no situation',
      );
    }
    const { lastTurnSeq, run } = newest.state;
    return { ...built, participantId, generation, lastTurnSeq, isIdle: !run?.active, input };
  }

  /** What the documents say about the newest question; nothing is asked where there are none. */
  async #recalled(
    key: SessionKey,
    { session, activity }: ActiveSession,
    { turns }: Ask,
    past: readonly PastTurn[],
    tokens: number,
  ): Promise<string> {
    if (activity.documentCount === 0 || session.configs.configs?.recall === false) return '';
    const asked = turns.map(({ said }) => said);
    return this.#tools.recall.passages(key, questionOf(asked, past), tokens);
  }

  /** The model's answer to a prompt; what has to be summarized is, before. */
  answer(key: SessionKey, hold: Hold, prompt: Prompt, signal: AbortSignal): AsyncIterable<AnswerPiece> {
    const fold = this.#foldOf(prompt);
    return fold
      ? this.#foldFirst(key, hold, prompt, fold, signal)
      : this.#ask(prompt, prompt.context, signal);
  }

  /** The same, asked for before its run has started; undefined where something has to be summarized. */
  answerEarly(prompt: Prompt): EarlyAnswer | undefined {
    if (this.#foldOf(prompt)) return undefined;
    return new EarlyAnswer((signal) => this.#ask(prompt, prompt.context, signal));
  }

  #ask({ generation }: Prompt, { messages }: Context, signal: AbortSignal): AsyncIterable<AnswerPiece> {
    return this.#tools.models.named(generation.model).answer(messages, generation, signal);
  }

  /** What has to be summarized first. A model that only repeats what it is told makes no summary worth having. */
  #foldOf(prompt: Prompt): SeqRange | undefined {
    const folds = prompt.input.overflow === 'SUMMARIZE' || this.#tools.summaryModel !== ECHO;
    return folds ? foldRange(prompt) : undefined;
  }

  async *#foldFirst(
    key: SessionKey,
    hold: Hold,
    prompt: Prompt,
    fold: SeqRange,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerPiece> {
    let { context } = prompt;
    try {
      const summary = await this.#folded(key, hold, prompt, fold, signal);
      const newest = await this.#before(key, prompt.lastTurnSeq + 1, signal);
      const turns = this.#backward(key, newest, this.#pastOf(newest), signal);
      ({ context } = await buildContext({ ...prompt.input, summary, turns }));
    } catch (error) {
      const goesOn = prompt.input.overflow === 'ADAPTIVE' && error instanceof ParleyError;
      if (!goesOn || signal.aborted || isUnavailable(error)) throw error;
    }
    yield* this.#ask(prompt, context, signal);
  }

  /** Folds turns into the session's summary. */
  async #folded(
    key: SessionKey,
    hold: Hold,
    { input }: Prompt,
    { afterSeq, throughSeq }: SeqRange,
    signal: AbortSignal,
  ): Promise<Summary> {
    const { models, runs, summaryModel: name } = this.#tools;
    const said = this.#forward(key, afterSeq, throughSeq, signal);
    const text = await summarize(input.summary?.text ?? '', said, {
      model: models.named(name),
      name,
      contextWindow: contextWindow(name),
      maxTokens: summaryBudget(input.tokenBudget),
      signal,
    });
    await persistently(() => runs.saveSummary(key, hold, text, throughSeq), signal);
    return { text, throughSeq };
  }

  /** What is said before anybody speaks: templates where the session has them rendered. */
  async #system(
    { namespace }: SessionKey,
    found: ActiveSession,
    agent: Participant | undefined,
    caller: Caller,
  ): Promise<SystemPiece[]> {
    const { situation, renderTemplates } = found.session;
    const instructions = agent?.instructions ?? '';
    if (!renderTemplates) {
      return [
        { source: 'SITUATION', text: situation },
        { source: 'INSTRUCTIONS', text: instructions },
      ];
    }
    const data = templateData(found, agent, now());
    const requester = { namespace, signal: caller.signal };
    const rendered = (template: string, name: string) =>
      this.#tools.templates.render(template, data, name, requester);
    return [
      { source: 'SITUATION', text: await rendered(situation, 'session.situation') },
      { source: 'INSTRUCTIONS', text: await rendered(instructions, 'participant.instructions') },
    ];
  }

  /** The log, the newest turn first, beginning with a page that has been read, and looked into. */
  async *#backward(
    key: SessionKey,
    newest: TurnPage,
    past: PastTurn[],
    run?: AbortSignal,
  ): AsyncGenerator<readonly PastTurn[]> {
    yield past;
    for (let page = newest; page.more; ) {
      page = await this.#before(key, page.lastSeq, run);
      yield this.#pastOf(page);
    }
  }

  /** The turns of a page, the newest first. */
  #pastOf({ frames }: TurnPage): PastTurn[] {
    return this.#tools.decode(frames).reverse();
  }

  #before(key: SessionKey, beforeSeq: number, run?: AbortSignal): Promise<TurnPage> {
    return this.#page(key, { ...PAGE, direction: 'BACKWARD', afterSeq: 0, beforeSeq }, run);
  }

  /** Turns after one seq, through another, the oldest first, in a run. */
  async *#forward(
    key: SessionKey,
    afterSeq: number,
    throughSeq: number,
    run: AbortSignal,
  ): AsyncGenerator<readonly PastTurn[]> {
    for (let after = afterSeq; ; ) {
      const range = { ...PAGE, direction: 'FORWARD' as const, afterSeq: after, beforeSeq: throughSeq + 1 };
      const page = await this.#page(key, range, run);
      yield this.#tools.decode(page.frames);
      if (!page.more) return;
      after = page.lastSeq;
    }
  }

  /** `run`: that of the run which needs it, if one has begun. */
  async #page(key: SessionKey, range: TurnRange, run?: AbortSignal): Promise<TurnPage> {
    const read = () => this.#tools.turns.read(key, range);
    const page = await (run ? persistently(read, run) : read());
    if (!page) throw sessionNotFound(key.sessionId);
    return page;
  }
}

/** The agent that answers: the one that was named, or the first; undefined when there is none. */
function answering(bound: readonly Participant[], participantId: string): Participant | undefined {
  if (participantId === '') return bound.find(({ kind }) => kind === 'AGENT');
  const named = bound.find((participant) => participant.participantId === participantId);
  if (!named) {
    throw new ParleyError('PARTICIPANT_NOT_FOUND', `no agent ${JSON.stringify(participantId)} is bound`, {
      resource: { type: 'parley.v1.Participant', name: participantId },
    });
  }
  if (named.kind !== 'AGENT') throw fieldInvalid('participant_id', 'is a user, and users do not answer');
  return named;
}

function summaryOf({ activity: { summary, summarizedSeq } }: ActiveSession): Summary | undefined {
  return summarizedSeq > 0 ? { text: summary, throughSeq: summarizedSeq } : undefined;
}
