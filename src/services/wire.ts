/** Pieces of encoded messages: answers that are mostly stored bytes are put together of such. */
import { type BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Micros } from '../sessions/session.ts';

/** An embedded message as an encoded field. */
export function field(number: number, message: Uint8Array): Uint8Array {
  const header: number[] = [];
  varint(header, (number << 3) | WireType.LengthDelimited);
  varint(header, message.length);
  return Buffer.concat([Buffer.from(header), message]);
}

/** An answer that is encoded items of one repeated field, and the rest of it encoded. */
export function repeated(number: number, items: readonly Uint8Array[], rest: Uint8Array): Buffer {
  return Buffer.concat([...items.map((item) => field(number, item)), rest]);
}

/** A `google.protobuf.Timestamp` as a field. */
export function writeTimestamp(writer: BinaryWriter, number: number, time: Micros): void {
  const seconds = Math.floor(time / 1e6);
  writer.tag(number, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.Varint).int64(seconds);
  writer.tag(2, WireType.Varint).int32((time - seconds * 1e6) * 1000);
  writer.join();
}

function varint(bytes: number[], value: number): void {
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
}
