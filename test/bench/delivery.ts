/** What a message of FollowTurns brought, as far as a follower has to know: read in place, one after the other. */
import { WireFields } from './wire_fields.ts';

/** Field numbers of FollowTurnsResponse, Turn, and where they matter. */
const TURN = 2;
const CAUGHT_UP = 5;
const HEARTBEAT = 6;
const SEQ = 1;
const METADATA = 5;

export type DeliveryKind = 'turn' | 'caught up' | 'heartbeat' | 'reset or nothing';

export class Delivery {
  kind: DeliveryKind = 'reset or nothing';
  /** Of a turn: its seq, and where the varint of it lies. */
  seq = 0;
  seqStart = 0;
  seqEnd = 0;
  /** Of a turn: the one number in its metadata, and where its eight bytes lie. */
  serial = 0;
  serialAt = 0;
  readonly #message = new WireFields();
  readonly #turn = new WireFields();

  read(bytes: Buffer, start: number, end: number): this {
    this.kind = 'reset or nothing';
    const message = this.#message.begin(bytes, start, end);
    while (message.next()) {
      if (message.number === TURN) this.#readTurn(bytes, message.start, message.end);
      else if (message.number === CAUGHT_UP) this.kind = 'caught up';
      else if (message.number === HEARTBEAT) this.kind = 'heartbeat';
    }
    return this;
  }

  #readTurn(bytes: Buffer, start: number, end: number): void {
    this.kind = 'turn';
    const turn = this.#turn.begin(bytes, start, end);
    while (turn.next()) {
      if (turn.number === SEQ) {
        this.seq = turn.value;
        this.seqStart = turn.start;
        this.seqEnd = turn.end;
      } else if (turn.number === METADATA) {
        // A Struct of one number ends with it.
        this.serialAt = turn.end - 8;
        this.serial = bytes.readDoubleLE(this.serialAt);
      }
    }
  }
}
