/** A turn's frame, as an answer has it. */
import { writeFrame } from '../../src/services/turn_messages.ts';
import { written } from '../../src/structs/wire_writer.ts';

export function toFrame(seq: number, createTime: number, body: Uint8Array): Buffer {
  return written((writer) => writeFrame(writer, { seq, createTime, body }));
}
