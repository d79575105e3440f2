/**
 * Server-sent events, as far as answers use them: the data of each, whatever pieces the bytes come in. Lines end by LF
 * or CRLF; comments, event types and ids are passed over.
 */
export class EventStream {
  readonly #decoder = new TextDecoder();
  /** A line that has not ended yet. */
  #line = '';
  /** The data of an event that has not ended yet. */
  #data: string | undefined;

  /** How much of an event is held back for its end, in characters. */
  get held(): number {
    return this.#line.length + (this.#data?.length ?? 0);
  }

  /** The data of the events that end in these bytes. */
  push(bytes: Uint8Array): string[] {
    return this.#split(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The data of an event that the stream's end cut the blank line off. */
  end(): string[] {
    return this.#split(`${this.#decoder.decode()}\n\n`);
  }

  #split(text: string): string[] {
    const events: string[] = [];
    let start = 0;
    // Only what is new is searched: a long line that comes in crumbs is joined once.
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const line = this.#line + text.slice(start, end);
      this.#line = '';
      start = end + 1;
      this.#take(line.endsWith('\r') ? line.slice(0, -1) : line, events);
    }
    this.#line += text.slice(start);
    return events;
  }

  #take(line: string, events: string[]): void {
    if (line === '') {
      if (this.#data !== undefined) events.push(this.#data);
      this.#data = undefined;
    } else if (line.startsWith('data:')) {
      const data = line.slice(line[5] === ' ' ? 6 : 5);
      this.#data = this.#data === undefined ? data : `${this.#data}\n${data}`;
    }
  }
}
