/** Text that comes in pieces, passed on so that no piece ends or begins in half a character. */
export class WholeCharacters {
  /** The first half of a character, until the second comes. */
  #half = '';

  /** What can be passed on by now; may be empty. A half that never finds its other one becomes U+FFFD. */
  push(piece: string): string {
    let text = this.#half + piece;
    this.#half = '';
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#half = text.slice(-1);
      text = text.slice(0, -1);
    }
    return text.isWellFormed() ? text : text.toWellFormed();
  }

  /** What is left when nothing follows. */
  end(): string {
    const text = this.#half.toWellFormed();
    this.#half = '';
    return text;
  }
}
