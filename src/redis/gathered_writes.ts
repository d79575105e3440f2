/**
 * What one turn of the event loop sends, as one write: to a stream each takes longer than to put a text behind another,
 * and so it does to the kernel and to Redis.
 */
import type { Writable } from 'node:stream';

/** What is longer goes at once. */
const LONGEST = 64 * 1024;

export class GatheredWrites {
  readonly #write: Writable['write'];
  readonly #stream: Writable;
  #gathering = false;
  #text = '';

  /** Takes the place of `write` on the stream; who writes there is told of no pressure, and of no end. */
  constructor(stream: Writable) {
    this.#stream = stream;
    this.#write = stream.write.bind(stream) as Writable['write'];
    stream.write = (chunk: string | Buffer) => this.#take(chunk);
  }

  get isGathering(): boolean {
    return this.#gathering;
  }

  /** From now on texts wait for each other, until they are released. */
  gather(): void {
    this.#gathering = true;
  }

  release(): void {
    this.#gathering = false;
    this.#flush();
  }

  #take(chunk: string | Buffer): boolean {
    if (typeof chunk !== 'string') {
      this.#flush();
      return this.#write(chunk);
    }
    this.#text += chunk;
    if (!this.#gathering || this.#text.length > LONGEST) this.#flush();
    return true;
  }

  #flush(): void {
    const text = this.#text;
    this.#text = '';
    if (text !== '' && this.#stream.writable) this.#write(text);
  }
}
