/**
 * Turns as they leave the server, and as they are stored: each a frame, which is
 * field 1 of an answer, a `parley.v1.Turn` that begins with its `seq` and
 * `create_time`. Frames one after the other are a list of turns, so that a page
 * of the log is passed on as it comes. (Protobuf: a message's fields may come in
 * any order, and messages that are concatenated are merged.)
 *
 * `redis/scripts/append_turns.lua` makes the same frames, since only there the
 * seq is known.
 */
import type { Micros } from '../sessions/session.ts';

/** A turn of the log. */
export interface StoredTurn {
  readonly seq: number;
  readonly frame: Uint8Array;
}

/** Field 1 and field 2 of an answer, both messages: the tags a turn may come under. */
const TURNS = 0x0a;
const TURN = 0x12;
/** `Turn.seq` and `Turn.create_time`, and the two fields of a Timestamp. */
const SEQ = 0x08;
const CREATE_TIME = 0x32;
const SECONDS = 0x08;
const NANOS = 0x10;
/** A tag and the longest uint32, twice, and a timestamp with its tag and length. */
const MAX_HEAD = 6 + 6 + 2 + 12;

/** Adds to the body of a turn, all its other fields encoded, what the log knows. */
export function toFrame(seq: number, createTime: Micros, body: Uint8Array): Buffer {
  const time = timestamp(createTime);
  const head = Buffer.allocUnsafe(MAX_HEAD + 1);
  head[0] = TURNS;
  let at = varint(head, 1, 1 + varintLength(seq) + 2 + time.length + body.length);
  head[at] = SEQ;
  at = varint(head, at + 1, seq);
  head[at] = CREATE_TIME;
  head[at + 1] = time.length;
  head.set(time, at + 2);
  return Buffer.concat([head.subarray(0, at + 2 + time.length), body]);
}

/** The turns of frames one after the other. */
export function splitFrames(bytes: Uint8Array): StoredTurn[] {
  const turns: StoredTurn[] = [];
  for (let from = 0; from < bytes.length; ) {
    const [length, content] = readVarint(bytes, from + 1);
    const [seq] = readVarint(bytes, content + 1);
    turns.push({ seq, frame: bytes.subarray(from, content + length) });
    from = content + length;
  }
  return turns;
}

/** A frame as a message's field 2: what comes after the tag stays as it is. */
export function asSecondField(frame: Uint8Array): Buffer {
  const field = Buffer.from(frame);
  field[0] = TURN;
  return field;
}

let lastTime = -1;
let lastTimestamp = Buffer.alloc(0);

/** A Timestamp; turns of one call have the same. */
function timestamp(time: Micros): Buffer {
  if (time === lastTime) return lastTimestamp;
  const seconds = Math.floor(time / 1e6);
  const bytes = Buffer.allocUnsafe(12);
  bytes[0] = SECONDS;
  let at = varint(bytes, 1, seconds);
  bytes[at] = NANOS;
  at = varint(bytes, at + 1, (time - seconds * 1e6) * 1000);
  lastTime = time;
  lastTimestamp = bytes.subarray(0, at);
  return lastTimestamp;
}

/** Writes a number base 128, the lowest digits first; returns where it ends. */
function varint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    bytes[at++] = (rest % 0x80) + 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at] = rest;
  return at + 1;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** The number, and where it ends. */
function readVarint(bytes: Uint8Array, from: number): [number, number] {
  let value = 0;
  for (let at = from, factor = 1; ; at++, factor *= 0x80) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return [value, at + 1];
  }
}
