/** Cuts bytes that arrive in any portions into the pieces they were sent as. */
export class Cutter {
  readonly #header: number;
  readonly #lengthOf: (bytes: Buffer, at: number) => number;
  readonly #take: (bytes: Buffer, at: number, end: number) => void;
  #unread: Buffer | undefined;

  /** Each piece begins with `header` bytes, from which `lengthOf` tells how many follow. `take` gets all of them. */
  constructor(
    header: number,
    lengthOf: (bytes: Buffer, at: number) => number,
    take: (bytes: Buffer, at: number, end: number) => void,
  ) {
    this.#header = header;
    this.#lengthOf = lengthOf;
    this.#take = take;
  }

  cut(portion: Buffer): void {
    const bytes = this.#unread ? Buffer.concat([this.#unread, portion]) : portion;
    let at = 0;
    while (bytes.length - at >= this.#header) {
      const end = at + this.#header + this.#lengthOf(bytes, at);
      if (end > bytes.length) break;
      this.#take(bytes, at, end);
      at = end;
    }
    this.#unread = at === bytes.length ? undefined : bytes.subarray(at);
  }
}
