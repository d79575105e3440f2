/**
 * Builds the prompt of an answer: what is said about the session first, then the newest turns that fit.
 *
 * The messages of the request are always sent, and whole: they are the question; so is the call when they answer
 * one. (When the request has none, the newest exchange of the log takes their place.) Then the log is read backwards,
 * exchange by exchange, until one does not fit, and no further: a long log costs no more than a short one.
 * Turns the summary covers are not sent again. It saves tokens, and it keeps the beginning of the prompt the same
 * from answer to answer, which is what providers' prompt caches live on.
 */
import { ParleyError } from '../errors.ts';
import type { Generation } from '../models/model.ts';
import type { ContextOverflow } from '../sessions/session.ts';
import { encodingOf } from '../tokens/encodings.ts';
import { PRIMING, tokensOfJson } from '../tokens/message_tokens.ts';
import { type Tokenizer, tokenizer } from '../tokens/tokenizer.ts';
import type { PastTurn } from './content.ts';
import type { Context, ContextMessage, Summary } from './context.ts';
import { Filling, type NewMessage } from './fill_window.ts';
import {
  elision,
  inOrder,
  isHelp,
  type SystemPiece,
  summaryMessage,
  systemMessages,
  tokensIn,
} from './system_part.ts';
import { type Edge, Window } from './window.ts';

export interface ContextInput {
  /** The most tokens the prompt may have. */
  readonly tokenBudget: number;
  readonly overflow: ContextOverflow;
  readonly generation: Pick<Generation, 'model' | 'tools' | 'responseFormat'>;
  readonly system: readonly SystemPiece[];
  /** Which agent answers; empty when it is nobody in particular. What other agents said is not its own. */
  readonly answering: string;
  readonly summary: Summary | undefined;
  /** What the request says, after all that is stored. */
  readonly messages: readonly NewMessage[];
  /** The log, the newest turn first; it is read only as far as it is sent. */
  readonly turns: AsyncIterable<readonly PastTurn[]>;
  /** How many turns the log has. */
  readonly turnCount: number;
}

/** A stretch of the log: after one seq, through another. */
export interface SeqRange {
  readonly afterSeq: number;
  readonly throughSeq: number;
}

export interface BuiltContext {
  readonly context: Context;
  /** What is not sent, and no summary covers; undefined when there is nothing, and when the policy is TRUNCATE. */
  readonly unsummarized: SeqRange | undefined;
}

/** CONTEXT_OVERFLOW when what has to be sent does not fit. */
export async function buildContext(input: ContextInput): Promise<BuiltContext> {
  const { tokenBudget, turnCount, overflow, generation } = input;
  const counter = await tokenizer(encodingOf(generation.model));
  const system = await systemMessages(
    input.system.filter((piece) => !isHelp(piece)),
    counter,
  );
  const options = PRIMING + (await tokensOfOptions(generation, counter));
  const fixed = options + tokensIn(system);
  const window = new Window({
    tokenizer: counter,
    room: tokenBudget - fixed,
    shortens: overflow === 'ADAPTIVE',
  });
  const demandRoom = () => refuseOverflow(tokenBudget - window.free, tokenBudget);

  const filling = new Filling(window, counter, input.answering);
  await filling.ask(input.messages);
  demandRoom();
  const help = await systemMessages(input.system.filter(isHelp), counter);
  const fitting = help.filter(({ tokenCount }) => window.reserve(tokenCount));
  const summary = await fittingSummary(window, input.summary, counter);
  const covered = summary ? input.summary!.throughSeq : 0;
  const edge = await filling.fill(input.turns, covered, () => {
    // What only helps is never what a prompt fails by.
    while (window.free < 0 && fitting.length > 0) window.release(fitting.pop()!.tokenCount);
    demandRoom();
  });
  const cut = edge && (await withElision(window, edge, { turnCount, covered, counter }));

  const turns = window.messages();
  const told = inOrder(
    [...system, ...fitting, summary, cut?.marker].filter((message) => message !== undefined),
  );
  return {
    context: {
      messages: [...told, ...turns],
      tokenCount: options + tokensIn(told) + tokensIn(turns),
      tokenBudget,
      omittedTurns: Math.max(0, turnCount - storedTurns(turns)),
      summarizedThroughSeq: covered,
      shortenedToolResults: window.shortened,
    },
    unsummarized: cut && overflow !== 'TRUNCATE' ? unsummarized(cut.edge, input.summary) : undefined,
  };
}

/** A summary is only help: one that leaves no room for the question is left out. */
async function fittingSummary(
  window: Window,
  summary: Summary | undefined,
  counter: Tokenizer,
): Promise<ContextMessage | undefined> {
  if (!summary || summary.text === '') return undefined;
  const message = await summaryMessage(summary.text, counter);
  return window.reserve(message.tokenCount) ? message : undefined;
}

/** Makes room for the note that turns are missing, which may put more of them out. */
async function withElision(
  window: Window,
  first: Edge,
  { turnCount, covered, counter }: { turnCount: number; covered: number; counter: Tokenizer },
): Promise<{ edge: Edge; marker: ContextMessage | undefined }> {
  for (let edge = first; ; ) {
    // How many turns a summary covers is not known exactly where the log has gaps: then it may be fewer.
    const missing = Math.max(1, Math.min(turnCount - edge.newerTurns, edge.seq - covered));
    const marker = await elision(missing, counter);
    if (window.makeRoom(marker.tokenCount)) return { edge, marker };
    const dropped = window.dropOldest();
    if (!dropped) return { edge, marker: undefined }; // better unsaid than nothing sent
    edge = dropped;
  }
}

/** Also a summary there was no room for covers what it covers. */
function unsummarized({ seq }: Edge, summary: Summary | undefined): SeqRange | undefined {
  const afterSeq = summary?.throughSeq ?? 0;
  return seq > afterSeq ? { afterSeq, throughSeq: seq } : undefined;
}

function refuseOverflow(tokens: number, tokenBudget: number): void {
  if (tokens <= tokenBudget) return;
  throw new ParleyError(
    'CONTEXT_OVERFLOW',
    `what has to be sent takes at least ${tokens} tokens, and there are ${tokenBudget}: ` +
      'that is what the agent is told, the newest message, and the tool calls it answers',
  );
}

/** What is sent beside the messages. */
async function tokensOfOptions(
  { tools = [], responseFormat }: ContextInput['generation'],
  counter: Tokenizer,
) {
  const forTools = tools.length > 0 ? await tokensOfJson(tools, counter) : 0;
  return forTools + (responseFormat ? await tokensOfJson(responseFormat, counter) : 0);
}

function storedTurns(messages: Context['messages']): number {
  return new Set(messages.map(({ seq }) => seq).filter((seq) => seq > 0)).size;
}
