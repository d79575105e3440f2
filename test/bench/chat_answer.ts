/** A run's events as a caller of the load generator reads them: in place, and only as far as he has to. */
import { Cutter } from './cutter.ts';
import { WireFields } from './wire_fields.ts';

/** Field numbers of ChatResponse and ChatEvent. */
const EVENT = 1;
const OFFSET = 1;
const TEXT_DELTA = 4;
const COMPLETED = 8;

/** Every gRPC message has a flag before it, and its length. */
const MESSAGE_HEADER = 5;

export class ChatAnswer {
  /** How much text has come, in bytes. */
  textBytes = 0;
  /** Whether the run is completed, with no event missing. */
  isWhole = false;
  /** When the first text came. */
  firstTextAt = 0;
  #lastOffset = 0;
  #inOrder = true;
  readonly #response = new WireFields();
  readonly #event = new WireFields();
  readonly #messages = new Cutter(
    MESSAGE_HEADER,
    (bytes, at) => bytes.readUInt32BE(at + 1),
    (bytes, at, end) => this.#take(bytes, at + MESSAGE_HEADER, end),
  );

  /** Forgets the answer before. */
  begin(): void {
    this.textBytes = 0;
    this.isWhole = false;
    this.#lastOffset = 0;
    this.#inOrder = true;
  }

  /** Takes what came of the stream. */
  read(bytes: Buffer): void {
    this.#messages.cut(bytes);
  }

  #take(bytes: Buffer, start: number, end: number): void {
    const response = this.#response.begin(bytes, start, end);
    while (response.next()) {
      if (response.number === EVENT) this.#takeEvent(bytes, response.start, response.end);
    }
  }

  #takeEvent(bytes: Buffer, start: number, end: number): void {
    const event = this.#event.begin(bytes, start, end);
    while (event.next()) {
      if (event.number === OFFSET) {
        this.#inOrder &&= event.value === this.#lastOffset + 1;
        this.#lastOffset = event.value;
      } else if (event.number === TEXT_DELTA) {
        if (this.textBytes === 0) this.firstTextAt = performance.now();
        this.textBytes += event.value;
      } else if (event.number === COMPLETED) this.isWhole = this.#inOrder;
    }
  }
}
