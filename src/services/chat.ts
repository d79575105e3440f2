/** ChatService: messages in, the domain's turns out. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import {
  type AppendTurnsRequest,
  AppendTurnsResponseSchema,
  type CancelChatRequest,
  type ChatRequest,
  type ClearHistoryRequest,
  type ConverseRequest,
  Direction,
  type FollowTurnsRequest,
  type GetContextRequest,
  type GetRunRequest,
  type ListTurnsRequest,
  ListTurnsRequestSchema,
  ListTurnsResponseSchema,
  type ChatService as Proto,
  type ResumeChatRequest,
  type RewindHistoryRequest,
  Start,
} from '../../gen/parley/v1/chat_service_pb.ts';
import type { Follow } from '../chat/follow.ts';
import type { History } from '../chat/history.ts';
import type { Runs } from '../chat/runs.ts';
import type { TurnCounter } from '../chat/tokens.ts';
import type { TurnRange } from '../chat/turns.ts';
import { fieldInvalid } from '../errors.ts';
import type { Call } from '../rpc/call.ts';
import { isWholeNumber, MAX_PAGE_BYTES, Page } from '../rpc/paging.ts';
import type { ServiceImpl } from '../rpc/service.ts';
import type { Micros } from '../sessions/session.ts';
import { written } from '../structs/wire_writer.ts';
import { askOf, askSettings } from './chat_input.ts';
import { converse } from './converse.ts';
import { contextMessage, runMessage } from './run_messages.ts';
import { keyOf } from './session_input.ts';
import { newTurns, writeFrame } from './turn_messages.ts';
import { writeText } from './wire.ts';

export class ChatService implements ServiceImpl<typeof Proto> {
  readonly #history: History;
  readonly #follow: Follow<Buffer>;
  readonly #runs: Runs;
  readonly #count: TurnCounter;

  constructor(history: History, follow: Follow<Buffer>, runs: Runs, count: TurnCounter) {
    this.#history = history;
    this.#follow = follow;
    this.#runs = runs;
    this.#count = count;
  }

  async appendTurns(request: AppendTurnsRequest, call: Call) {
    const turns = await newTurns(request.messages, this.#count);
    const { firstSeq, createTime, cursor } = await this.#history.append(
      keyOf(request),
      turns,
      request.expectedLastSeq,
      call,
    );
    return written((writer) => {
      let seq = firstSeq;
      for (const { body } of turns) writeFrame(writer, { seq: seq++, createTime, body });
      writeText(writer, AppendTurnsResponseSchema.field.cursor.number, cursor);
    });
  }

  async listTurns(request: ListTurnsRequest) {
    const page = new Page(ListTurnsRequestSchema, request, isWholeNumber);
    const range = rangeOf(request, page.after, page.size);
    const { frames, lastSeq, more, cursor } = await this.#history.list(keyOf(request), range);
    const { nextPageToken: next, cursor: end } = ListTurnsResponseSchema.field;
    const rest = written((writer) => {
      writeText(writer, next.number, more ? page.tokenAfter(lastSeq) : '');
      writeText(writer, end.number, cursor);
    });
    return Buffer.concat([frames, rest]); // what is large is copied once
  }

  followTurns(request: FollowTurnsRequest, call: Call) {
    return this.#follow.follow(keyOf(request), startOf(request), request.includeDeltas, call);
  }

  async *chat(request: ChatRequest, call: Call) {
    const ask = await askOf(askSettings(request), request.messages, this.#count);
    yield* this.#runs.chat(keyOf(request), ask, call, call.signal, (runId) => {
      call.endsByItself = this.#runs.makes(runId);
    });
  }

  resumeChat(request: ResumeChatRequest, call: Call) {
    call.endsByItself = this.#runs.makes(request.runId);
    return this.#runs.resume(keyOf(request), request.runId, request.afterOffset, call.signal);
  }

  async cancelChat(request: CancelChatRequest, call: Call) {
    const run = await this.#runs.cancel(keyOf(request), request.runId, call);
    return { run: runMessage(request.sessionId, run) };
  }

  converse(requests: AsyncIterable<ConverseRequest>, call: Call) {
    return converse(this.#runs, this.#count, requests, call);
  }

  async getContext(request: GetContextRequest, call: Call) {
    const ask = await askOf(askSettings(request), request.messages, this.#count);
    return contextMessage(await this.#runs.context(keyOf(request), ask, call));
  }

  async getRun(request: GetRunRequest) {
    return { run: runMessage(request.sessionId, await this.#runs.get(keyOf(request), request.runId)) };
  }

  clearHistory(request: ClearHistoryRequest, call: Call) {
    return this.#history.clear(keyOf(request), call);
  }

  rewindHistory(request: RewindHistoryRequest, call: Call) {
    return this.#history.rewind(keyOf(request), request.toSeq, call);
  }
}

/** What a page is read from: the request's bounds, and `next`, the seq the last page ended at. */
function rangeOf(request: ListTurnsRequest, next: number | undefined, count: number): TurnRange {
  const { beforeSeq, beforeTime, afterSeq, afterTime } = request;
  const direction = request.direction === Direction.FORWARD ? 'FORWARD' : 'BACKWARD';
  return {
    direction,
    afterSeq: direction === 'FORWARD' ? Math.max(afterSeq, next ?? 0) : afterSeq,
    beforeSeq: (direction === 'BACKWARD' ? next : undefined) ?? (beforeSeq || undefined),
    since: afterTime && micros('after_time', afterTime, Math.floor) + 1,
    beforeTime: beforeTime && micros('before_time', beforeTime, Math.ceil),
    count,
    bytes: MAX_PAGE_BYTES,
  };
}

// What a Timestamp may be: google/protobuf/timestamp.proto.
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;

/** Turns have whole microseconds; a bound may lie between two. */
function micros(field: string, time: Timestamp, round: (value: number) => number): Micros {
  const { seconds, nanos } = time;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND || nanos < 0 || nanos > 999_999_999)
    throw fieldInvalid(field, 'is no time: it is not of the years 1 to 9999, or nanos is out of its range');
  return Number(seconds) * 1e6 + round(nanos / 1000);
}

function startOf({ from }: FollowTurnsRequest): 'BEGINNING' | 'NOW' | { readonly cursor: string } {
  if (from.case === 'cursor') return { cursor: from.value };
  return from.value === Start.NOW ? 'NOW' : 'BEGINNING';
}
