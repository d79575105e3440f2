/**
 * The tool calls of an answer, put together from the fragments in which endpoints send them. OpenAI numbers the calls
 * and gives id and name with a call's first fragment. Others give no number, or 0 to all; no id; id and name one after
 * the other, or with every fragment; a call whole. A call is passed on from its first argument on, or when another one
 * begins: by then its name is whole.
 */
import { randomUUID } from 'node:crypto';
import { isJson } from '../structs/json.ts';
import { type AnswerPiece, MOST_PARTS } from './model.ts';
import type { EndpointErrors } from './openai_errors.ts';
import { WholeCharacters } from './whole_characters.ts';

/** What a ToolCall may have as id and as name (`content.proto`). */
const LONGEST_NAME = 256;

type ToolCallPiece = Extract<AnswerPiece, { kind: 'toolCall' }>;

/** A fragment of a call; empty is what the endpoint did not say. */
export interface CallFragment {
  readonly index: number | undefined;
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

interface Call {
  readonly index: number | undefined;
  id: string;
  name: string;
  arguments: string;
  readonly characters: WholeCharacters;
  /** Where it stands among the calls that were passed on; undefined while it is held back. */
  place: number | undefined;
}

export class ToolCalls {
  readonly #errors: EndpointErrors;
  readonly #calls: Call[] = [];
  #passedOn = 0;

  constructor(errors: EndpointErrors) {
    this.#errors = errors;
  }

  /** Whether there was any. */
  get any(): boolean {
    return this.#calls.length > 0;
  }

  /** What can be passed on now. Throws MODEL_ANSWER_INVALID when there are too many, or one's id or name is too long. */
  push(fragment: CallFragment): ToolCallPiece[] {
    const known = this.#callOf(fragment);
    if (known && !begins(fragment, known)) return this.#continue(known, fragment);
    if (this.#calls.length === MOST_PARTS)
      throw this.#errors.unreadable(`more than ${MOST_PARTS} tool calls`);
    const held = this.#calls.flatMap((call) => this.#passOn(call));
    const call: Call = {
      index: fragment.index,
      id: '',
      name: '',
      arguments: '',
      characters: new WholeCharacters(),
      place: undefined,
    };
    this.#calls.push(call);
    return [...held, ...this.#continue(call, fragment)];
  }

  /** What was held back to the last. Throws MODEL_ANSWER_INVALID when a call never got a name. */
  end(): ToolCallPiece[] {
    if (this.#calls.some((call) => call.name === ''))
      throw this.#errors.unreadable('a tool call without a name');
    return this.#calls.flatMap((call) => [
      ...this.#passOn(call),
      ...piecesOf(call.place!, '', '', call.characters.end()),
    ]);
  }

  #callOf({ index, id }: CallFragment): Call | undefined {
    if (index === undefined)
      return this.#calls.findLast((call) => id !== '' && call.id === id) ?? this.#calls.at(-1);
    return this.#calls.findLast((call) => call.index === index);
  }

  #continue(call: Call, fragment: CallFragment): ToolCallPiece[] {
    call.id ||= fragment.id;
    // A name in pieces goes on; one that is said again does not.
    if (call.arguments === '' && fragment.name !== call.name) call.name += fragment.name;
    if (call.id.length > LONGEST_NAME || call.name.length > LONGEST_NAME)
      throw this.#errors.unreadable(`a tool call whose id or name is longer than ${LONGEST_NAME} characters`);
    call.arguments += fragment.arguments;
    if (call.place === undefined) return call.arguments === '' ? [] : this.#passOn(call);
    return piecesOf(call.place, '', '', call.characters.push(fragment.arguments));
  }

  /** Passes on a call that was held back, with what is there of its arguments. */
  #passOn(call: Call): ToolCallPiece[] {
    if (call.place !== undefined || call.name === '') return [];
    call.place = this.#passedOn++;
    const id = call.id || `call_${randomUUID()}`;
    const text = call.characters.push(call.arguments);
    return [{ kind: 'toolCall', index: call.place, id, name: call.name, arguments: text }];
  }
}

/** Whether a fragment that looks like one of a known call is the first of another. */
function begins(fragment: CallFragment, known: Call): boolean {
  if (fragment.id !== '' && known.id !== '') return fragment.id !== known.id;
  // Without ids only this tells: a name, where nothing more can come of the known call.
  return fragment.name !== '' && fragment.id === '' && known.id === '' && isJson(known.arguments);
}

function piecesOf(index: number, id: string, name: string, text: string): ToolCallPiece[] {
  return text === '' ? [] : [{ kind: 'toolCall', index, id, name, arguments: text }];
}
