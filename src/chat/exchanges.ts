/**
 * Puts calls and their results together again, whatever came between them in the log.
 *
 * Providers want the results right after the calls, all of them and nothing else. A log that was interrupted has
 * calls without results, results after somebody else has spoken, results twice, and results whose call was removed.
 * So an exchange is made of each assistant's message: its calls' results are placed right behind it, and one that
 * is missing is made up, saying so. Results whose call comes nowhere before them are left out.
 */
import type { PromptMessage } from '../models/model.ts';
import type { ToolCall } from './content.ts';
import { heardResult } from './other_agents.ts';

/** A message of a prompt, and the turn it is of. */
export interface TurnMessage {
  readonly message: PromptMessage;
  /** 0 when it is not stored. */
  readonly seq: number;
  /** Its tokens, when they were counted before. */
  readonly counted: number | undefined;
  /** The calls of another agent, where the message is one's: their results are not for this one. */
  readonly callsOfAnother?: readonly ToolCall[];
}

/** A message with the results of its calls: they are sent together, or not at all. */
export interface Exchange {
  readonly messages: readonly TurnMessage[];
}

/** What a model reads where a result should be. */
export const NO_RESULT = 'No result: the call was never answered.';

/** Reads a log backwards, as the newest turns matter most, and makes exchanges of it. */
export class ExchangesBackwards {
  /** Results whose call is yet to come, by its id; the newest first. */
  private readonly waiting = new Map<string, TurnMessage[]>();

  private newResults = 0;

  /** Whether results that are not stored yet still wait for their call. */
  get newResultsWait(): boolean {
    return this.newResults > 0;
  }

  /** Takes the messages of the next older turn, in order; returns the exchange it opens, if it does. */
  take(messages: readonly TurnMessage[]): Exchange | undefined {
    for (const each of messages.toReversed()) {
      const [part] = each.message.parts;
      if (each.message.role !== 'TOOL' || part?.kind !== 'toolResult') return this.opened(each);
      this.wait(part.toolCallId, each);
    }
    return undefined;
  }

  private wait(callId: string, result: TurnMessage): void {
    const results = this.waiting.get(callId);
    if (results) results.push(result);
    else this.waiting.set(callId, [result]);
    if (result.seq === 0) this.newResults++;
  }

  /** A call's results stop waiting; the one that was given first is returned. */
  private resultOf(callId: string): TurnMessage | undefined {
    const results = this.waiting.get(callId) ?? [];
    this.waiting.delete(callId);
    this.newResults -= results.filter(({ seq }) => seq === 0).length;
    return results.at(-1);
  }

  /** An id that is used again names the last call before the result. */
  private opened(opening: TurnMessage): Exchange {
    if (opening.callsOfAnother) {
      const results = opening.callsOfAnother.map(({ id }) => this.resultOf(id));
      const asked = results.filter((result) => result?.seq === 0).map((result) => result!.message);
      const heard = asked.map((message) => ({ message: heardResult(message), seq: 0, counted: undefined }));
      return { messages: [opening, ...heard] };
    }
    const calls = opening.message.parts.filter((part) => part.kind === 'toolCall');
    const results = calls.map((call) => this.resultOf(call.id) ?? unanswered(call));
    return { messages: [opening, ...results] };
  }
}

function unanswered({ id, name }: ToolCall): TurnMessage {
  const part = { kind: 'toolResult', toolCallId: id, name, content: NO_RESULT, isError: true } as const;
  return { message: { role: 'TOOL', name: '', parts: [part] }, seq: 0, counted: undefined };
}
