/** The part of a prompt that turns fill, from the newest backwards, and the room they have. */
import type { PromptMessage } from '../models/model.ts';
import { tokensOf } from '../tokens/message_tokens.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import type { ContextMessage } from './context.ts';
import type { Exchange } from './exchanges.ts';
import { shortenedResult } from './shorten.ts';

export interface WindowOptions {
  readonly tokenizer: Tokenizer;
  /** Tokens there are for exchanges. */
  readonly room: number;
  /** Whether tool results may be shortened to make room. */
  readonly shortens: boolean;
}

/** Whether an exchange has to be there, as it is. */
export type Need = 'REQUIRED' | 'WELCOME';

/** Where a prompt leaves off: at the newest turn of the log that is missing, when this one and all older ones are. */
export interface Edge {
  readonly seq: number;
  /** How many turns of the log are newer. */
  readonly newerTurns: number;
}

export class Window {
  private readonly options: WindowOptions;
  /** The newest first. */
  private readonly entries: Entry[] = [];
  private used = 0;
  private room: number;

  constructor(options: WindowOptions) {
    this.options = options;
    this.room = options.room;
  }

  /** Tokens that are left; below zero when what has to be there takes more than there are. */
  get free(): number {
    return this.room - this.used;
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  get shortened(): number {
    return this.entries.flatMap(({ slots }) => slots).filter(({ isShort }) => isShort).length;
  }

  /** Adds the next older exchange. One that is welcome and does not fit stays out, and changes nothing. */
  async add(exchange: Exchange, edge: Edge, need: Need): Promise<boolean> {
    const slots = await Promise.all(exchange.messages.map((each) => this.slot(each, need)));
    this.entries.push({ edge, need, slots });
    this.used += tokensIn(slots);
    if (need === 'REQUIRED' || this.makeRoom(0)) return true;
    this.entries.pop();
    this.used -= tokensIn(slots);
    return false;
  }

  /**
   * Sees to it that as many tokens are left, by shortening tool results: the oldest first, and no more than it
   * takes. When all of them would not do, none is shortened.
   */
  makeRoom(tokens: number): boolean {
    const missing = tokens - this.free;
    if (missing <= 0) return true;
    if (!this.options.shortens) return false;
    let saved = 0;
    const chosen: Slot[] = [];
    for (let at = this.entries.length - 1; at >= 0 && saved < missing; at--) {
      for (const slot of this.entries[at]!.slots) {
        const saves = saved < missing ? this.saving(slot) : 0;
        if (saves > 0) chosen.push(slot);
        saved += saves;
      }
    }
    if (saved < missing) return false;
    for (const slot of chosen) slot.isShort = true;
    this.used -= saved;
    return true;
  }

  /** Takes room away for something else, if it is free; nothing is shortened for it. */
  reserve(tokens: number): boolean {
    if (tokens > this.free) return false;
    this.room -= tokens;
    return true;
  }

  /** Gives back what was reserved. */
  release(tokens: number): void {
    this.room += tokens;
  }

  /** Takes the oldest exchange out again, and says where that leaves off; undefined when it has to be there. */
  dropOldest(): Edge | undefined {
    const oldest = this.entries.at(-1);
    if (oldest?.need !== 'WELCOME') return undefined;
    this.entries.pop();
    this.used -= tokensIn(oldest.slots);
    return oldest.edge;
  }

  /** What is sent, the oldest first. */
  messages(): ContextMessage[] {
    return this.entries
      .toReversed()
      .flatMap(({ slots }) => slots)
      .map(({ seq, isShort, whole, short }) => ({ ...sent(isShort && short ? short : whole), seq }));
  }

  private async slot({ message, seq, counted }: Exchange['messages'][number], need: Need): Promise<Slot> {
    const tokens = counted ?? (await tokensOf(message, this.options.tokenizer));
    const mayBeShort = need === 'WELCOME' && message.role === 'TOOL';
    return { seq, whole: { message, tokens }, short: mayBeShort ? undefined : null, isShort: false };
  }

  /** What shortening a message would save; 0 when it is none that can be, or has been. */
  private saving(slot: Slot): number {
    if (slot.isShort || slot.short === null) return 0;
    if (slot.short === undefined) slot.short = this.shortForm(slot.whole);
    return slot.short === null ? 0 : slot.whole.tokens - slot.short.tokens;
  }

  private shortForm({ message, tokens }: Form): Form | null {
    const { tokenizer } = this.options;
    const short = shortenedResult(message, tokens, tokenizer);
    return short ? { message: short, tokens: tokensOf(short, tokenizer) as number } : null;
  }
}

interface Entry {
  readonly edge: Edge;
  readonly need: Need;
  readonly slots: readonly Slot[];
}

/** A message as it may be sent. */
interface Form {
  readonly message: PromptMessage;
  readonly tokens: number;
}

interface Slot {
  readonly seq: number;
  readonly whole: Form;
  /** Undefined before anybody asked for it; null when there is none. */
  short: Form | null | undefined;
  isShort: boolean;
}

function sent({ message, tokens }: Form): Omit<ContextMessage, 'seq'> {
  return { ...message, source: 'TURN', tokenCount: tokens };
}

function tokensIn(slots: readonly Slot[]): number {
  return slots.reduce((sum, { whole, short, isShort }) => sum + (isShort && short ? short : whole).tokens, 0);
}
