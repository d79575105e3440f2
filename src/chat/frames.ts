/**
 * Turns as they leave the server: each a frame, which is field 1 of an answer,
 * a `parley.v1.Turn` that begins with its `seq`. Frames one after the other are a
 * list of turns, so that a page of the log is passed on as it is. (Protobuf: a
 * message's fields may come in any order, and messages that are concatenated are
 * merged.) The events of runs are frames too: a `parley.v1.ChatEvent` that begins
 * with its `offset`.
 *
 * A turn is stored as its frame, but for seq and time, which only the log knows,
 * together with those it was appended with: `redis/turns.ts` adds the two when it
 * reads, and `redis/scripts/frames.lua` where a run's event has turns in it.
 * (Those of an earlier version have both in them as well. Of a field that comes
 * twice the last one counts, and it is the same.)
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { Micros } from '../sessions/session.ts';
import { type WireWriter, written } from '../structs/wire_writer.ts';

/** The field that every frame is. */
const FRAME = 1;

/** A turn as the log has it. */
export interface StoredTurn {
  readonly seq: number;
  readonly createTime: Micros;
  /** An encoded `parley.v1.Turn`, but for these two. */
  readonly body: Uint8Array;
}

/** Writes the frame of a turn. */
export type FrameWriter = (writer: WireWriter, turn: StoredTurn) => void;

/** The frame of a turn, or of an event of a run. */
export interface Frame {
  /** Of an event, its offset. */
  readonly seq: number;
  readonly frame: Uint8Array;
}

/** What is in frames one after the other. */
export function bodiesOf(frames: Uint8Array): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  const reader = new BinaryReader(frames);
  while (reader.pos < reader.len) {
    reader.tag();
    bodies.push(reader.bytes());
  }
  return bodies;
}

/** The opposite: a frame around each, one after the other. */
export function framesOf(bodies: readonly Uint8Array[]): Buffer {
  return written((writer) => {
    for (const body of bodies) writer.tag(FRAME, WireType.LengthDelimited).bytes(body);
  });
}

/** Frames that are one after the other. */
export function splitFrames(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const from = reader.pos;
    reader.tag();
    const end = reader.uint32() + reader.pos;
    reader.tag();
    frames.push({ seq: reader.uint32(), frame: bytes.subarray(from, end) });
    reader.pos = end;
  }
  return frames;
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
