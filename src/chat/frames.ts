/**
 * Turns as they leave the server, and as they are stored: each a frame, which is
 * field 1 of an answer, a `parley.v1.Turn` that begins with its `seq`. Frames
 * one after the other are a list of turns, so that a page of the log is passed
 * on as it comes. (Protobuf: a message's fields may come in any order, and
 * messages that are concatenated are merged.) The events of runs are frames too:
 * a `parley.v1.ChatEvent` that begins with its `offset`.
 *
 * `redis/scripts/append_turns.lua` makes them, since only there the seq is
 * known; so does `services/turn_messages.ts`, for the answer to who appends.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** A turn of the log. */
export interface StoredTurn {
  readonly seq: number;
  readonly frame: Uint8Array;
}

/** The turns of frames one after the other. */
export function splitFrames(bytes: Uint8Array): StoredTurn[] {
  const turns: StoredTurn[] = [];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const from = reader.pos;
    reader.tag();
    const end = reader.uint32() + reader.pos;
    reader.tag();
    turns.push({ seq: reader.uint32(), frame: bytes.subarray(from, end) });
    reader.pos = end;
  }
  return turns;
}

/**
 * A frame as another field of a message, up to 15: what comes after the tag stays as it is. `room`: for so many bytes
 * before it, which the caller writes.
 */
export function asField(frame: Uint8Array, number: number, room = 0): Buffer {
  const field = Buffer.allocUnsafe(room + frame.length);
  field.set(frame, room);
  field[room] = (number << 3) | WireType.LengthDelimited;
  return field;
}
