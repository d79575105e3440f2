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
import { encodingOf, STORED_ENCODING } from '../tokens/encodings.ts';
import { PRIMING, tokensOfJson } from '../tokens/message_tokens.ts';
import { type Tokenizer, tokenizer } from '../tokens/tokenizer.ts';
import type { PastTurn, Said } from './content.ts';
import type { Context, Summary } from './context.ts';
import { ExchangesBackwards, type TurnMessage } from './exchanges.ts';
import { promptMessages } from './prompt_messages.ts';
import { elision, type SystemPiece, systemMessages } from './system_part.ts';
import { type Edge, Window } from './window.ts';

export interface ContextInput {
  /** The most tokens the prompt may have. */
  readonly tokenBudget: number;
  readonly overflow: ContextOverflow;
  readonly generation: Pick<Generation, 'model' | 'tools' | 'responseFormat'>;
  readonly system: readonly SystemPiece[];
  readonly summary: Summary | undefined;
  /** What the request says, after all that is stored. `tokenCount` in {@link STORED_ENCODING} spares the counting. */
  readonly messages: readonly (Said & { readonly tokenCount?: number })[];
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
  const { tokenBudget, turnCount, overflow } = input;
  const summary = input.summary?.text === '' ? undefined : input.summary;
  const counter = await tokenizer(encodingOf(input.generation.model));
  const system = await systemMessages(input.system, summary, counter);
  const fixed = PRIMING + system.tokens + (await tokensOfOptions(input.generation, counter));
  const window = new Window({
    tokenizer: counter,
    room: tokenBudget - fixed,
    shortens: overflow === 'ADAPTIVE',
  });
  const edge = await fill(window, { ...input, summary, fixed, counter });
  const covered = summary?.throughSeq ?? 0;
  const cut = edge && (await withElision(window, edge, { turnCount, covered, counter }));

  const turns = window.messages();
  const messages = [...system.messages, ...(cut?.marker ? [cut.marker] : []), ...turns];
  return {
    context: {
      messages,
      tokenCount: fixed + window.tokens + (cut?.marker?.tokenCount ?? 0),
      tokenBudget,
      omittedTurns: Math.max(0, turnCount - storedTurns(turns)),
      summarizedThroughSeq: covered,
      shortenedToolResults: window.shortened,
    },
    unsummarized:
      cut && overflow !== 'TRUNCATE' ? { afterSeq: covered, throughSeq: cut.edge.seq } : undefined,
  };
}

interface Filling extends ContextInput {
  readonly fixed: number;
  readonly counter: Tokenizer;
}

/** Fills the window; returns where it leaves off, undefined when nothing more was to be sent. */
async function fill(window: Window, input: Filling): Promise<Edge | undefined> {
  const exchanges = new ExchangesBackwards();
  for (const said of input.messages.toReversed()) {
    const exchange = exchanges.take(messagesOf({ ...said, seq: 0, tokenCount: said.tokenCount ?? 0 }, input));
    if (exchange) await window.add(exchange, NOWHERE, 'REQUIRED');
  }
  demandRoom(window, input);

  let newerTurns = 0;
  let edge: Edge | undefined; // of the turns since the last exchange
  for await (const page of input.turns) {
    for (const turn of page) {
      if (turn.seq <= (input.summary?.throughSeq ?? 0)) return undefined;
      edge ??= { seq: turn.seq, newerTurns };
      const need = window.isEmpty || exchanges.newResultsWait ? 'REQUIRED' : 'WELCOME';
      const exchange = exchanges.take(messagesOf(turn, input));
      if (exchange && !(await window.add(exchange, edge, need))) return edge;
      if (exchange) edge = undefined;
      if (edge && newerTurns - edge.newerTurns >= MOST_BARREN) return edge;
      demandRoom(window, input);
      newerTurns++;
    }
  }
  return undefined;
}

/** Of what is not in the log. */
const NOWHERE: Edge = { seq: 0, newerTurns: 0 };
/** After so many turns on end with nothing to send it is not worth looking further. */
const MOST_BARREN = 1000;

/** A turn counted in another encoding than the model's is counted again. */
function messagesOf(turn: PastTurn, { counter }: Filling): TurnMessage[] {
  const messages = promptMessages(turn);
  const known = messages.length === 1 && turn.tokenCount > 0 && counter.encoding === STORED_ENCODING;
  return messages.map((message) => ({
    message,
    seq: turn.seq,
    counted: known ? turn.tokenCount : undefined,
  }));
}

function demandRoom(window: Window, { fixed, tokenBudget }: Filling): void {
  const tokens = fixed + window.tokens;
  if (tokens <= tokenBudget) return;
  throw new ParleyError(
    'CONTEXT_OVERFLOW',
    `what has to be sent takes at least ${tokens} tokens, and there are ${tokenBudget}: ` +
      'that is what the agent is told, the newest message, and the tool calls it answers',
  );
}

/** Makes room for the note that turns are missing, which may put more of them out. */
async function withElision(
  window: Window,
  first: Edge,
  { turnCount, covered, counter }: { turnCount: number; covered: number; counter: Tokenizer },
) {
  for (let edge = first; ; ) {
    // The log may have gaps, and how many turns a summary covers nobody knows: it may be less, by few.
    const missing = Math.max(1, Math.min(turnCount - edge.newerTurns, edge.seq - covered));
    const marker = await elision(missing, counter);
    if (window.makeRoom(marker.tokenCount)) return { edge, marker };
    const dropped = window.dropOldest();
    if (!dropped) return { edge, marker: undefined }; // better unsaid than nothing sent
    edge = dropped;
  }
}

/** What is sent beside the messages. */
async function tokensOfOptions(
  { tools, responseFormat }: ContextInput['generation'],
  counter: Tokenizer,
): Promise<number> {
  const forTools = tools && tools.length > 0 ? await tokensOfJson(tools, counter) : 0;
  return forTools + (responseFormat ? await tokensOfJson(responseFormat, counter) : 0);
}

function storedTurns(messages: Context['messages']): number {
  return new Set(messages.map(({ seq }) => seq).filter((seq) => seq > 0)).size;
}
