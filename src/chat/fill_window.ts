/** Fills the window of a prompt: the question, and the log from its newest turn backwards. */
import { STORED_ENCODING } from '../tokens/encodings.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import type { PastTurn, Said } from './content.ts';
import { ExchangesBackwards, type TurnMessage } from './exchanges.ts';
import { heard, isAnothers } from './other_agents.ts';
import { promptMessages } from './prompt_messages.ts';
import type { Edge, Window } from './window.ts';

/** Something said that is not stored yet; `tokenCount`, in {@link STORED_ENCODING}, spares counting it again. */
export type NewMessage = Said & { readonly tokenCount?: number };

/** After so many turns on end with nothing to send it is not worth looking further. */
const MOST_BARREN = 1000;
/** Of what is not in the log. */
const NOWHERE: Edge = { seq: 0, newerTurns: 0 };

export class Filling {
  private readonly window: Window;
  private readonly tokenizer: Tokenizer;
  private readonly answering: string;
  private readonly exchanges = new ExchangesBackwards();

  /** `answering`: the agent that does; empty when it is nobody in particular. */
  constructor(window: Window, tokenizer: Tokenizer, answering: string) {
    this.window = window;
    this.tokenizer = tokenizer;
    this.answering = answering;
  }

  /** Adds what the request says, whether there is room or not. */
  async ask(messages: readonly NewMessage[]): Promise<void> {
    for (const { tokenCount = 0, ...said } of messages.toReversed()) {
      const exchange = this.exchanges.take(this.messagesOf({ ...said, seq: 0, tokenCount }));
      if (exchange) await this.window.add(exchange, NOWHERE, 'REQUIRED');
    }
  }

  /**
   * Adds the turns after a seq, given newest first, until an exchange does not fit; returns where that leaves off,
   * undefined when nothing more was to be sent. What has to be sent is added without asking: when the request is
   * without a message of its own, the newest exchange; when it answers a call, all from there on. `added` may throw.
   */
  async fill(
    turns: AsyncIterable<readonly PastTurn[]>,
    afterSeq: number,
    added: () => void,
  ): Promise<Edge | undefined> {
    let newerTurns = 0;
    let edge: Edge | undefined; // of the turns since the last exchange
    for await (const page of turns) {
      for (const turn of page) {
        if (turn.seq <= afterSeq) return undefined;
        edge ??= { seq: turn.seq, newerTurns };
        const need = this.window.isEmpty || this.exchanges.newResultsWait ? 'REQUIRED' : 'WELCOME';
        const exchange = this.exchanges.take(this.messagesOf(turn));
        if (exchange && !(await this.window.add(exchange, edge, need))) return edge;
        if (exchange) edge = undefined;
        else if (newerTurns - edge.newerTurns >= MOST_BARREN) return edge;
        added();
        newerTurns++;
      }
    }
    return undefined;
  }

  /** A turn counted in another encoding than the model's is counted again. */
  private messagesOf(turn: PastTurn): TurnMessage[] {
    if (isAnothers(turn, this.answering)) {
      const { message, calls } = heard(turn);
      return message ? [{ message, seq: turn.seq, counted: undefined, callsOfAnother: calls }] : [];
    }
    const messages = promptMessages(turn);
    const isCounted = turn.tokenCount > 0 && this.tokenizer.encoding === STORED_ENCODING;
    const counted = isCounted && messages.length === 1 ? turn.tokenCount : undefined;
    return messages.map((message) => ({ message, seq: turn.seq, counted }));
  }
}
