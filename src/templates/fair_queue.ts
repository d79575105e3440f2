/** What waits, in a line for each namespace; the lines take turns, so that a long one keeps no other waiting. */
export class FairQueue<T extends { readonly namespace: string }> {
  /** None is empty. The first has waited longest for its turn, but for the one that had the last. */
  readonly #lines = new Map<string, Set<T>>();
  #lastTurn = '';

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  add(item: T): void {
    const line = this.#lines.get(item.namespace) ?? new Set();
    this.#lines.set(item.namespace, line.add(item));
  }

  /** Takes out whoever waits no longer, if it is still here. */
  delete(item: T): void {
    const line = this.#lines.get(item.namespace);
    line?.delete(item);
    if (line?.size === 0) this.#lines.delete(item.namespace);
  }

  /** Takes out whose turn it is. */
  next(): T | undefined {
    this.#goLast(this.#lastTurn);
    for (const [namespace, line] of this.#lines) {
      this.#lastTurn = namespace;
      for (const item of line) {
        this.delete(item);
        return item;
      }
    }
    return undefined;
  }

  /** Behind those, too, that came while it was served. */
  #goLast(namespace: string): void {
    const line = this.#lines.get(namespace);
    if (!line) return;
    this.#lines.delete(namespace);
    this.#lines.set(namespace, line);
  }
}
