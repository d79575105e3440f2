/** How good the places of a text are to cut it at. */

/** Nowhere good; behind a word; behind a sentence or a line; behind a paragraph. */
export const [IN_WORD, WORD, SENTENCE, PARAGRAPH] = [0, 1, 2, 3] as const;
/** In the middle of a character, or before a blank, which goes with what is before it. */
const NEVER = -1;

/** How good it is to cut before the character at `at`. */
export function cutRank(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (isBlank(code) || isSecondHalf(code)) return NEVER;
  let before = at - 1;
  if (isLetter(text.charCodeAt(before))) return IN_WORD;
  let lines = 0;
  for (; before >= 0 && isBlank(text.charCodeAt(before)); before--) {
    if (text.charCodeAt(before) === NEW_LINE) lines++;
  }
  if (lines > 0) return lines > 1 ? PARAGRAPH : SENTENCE;
  const isAfterBlank = before < at - 1;
  const furthest = before - MOST_CLOSING;
  while (before > furthest && CLOSING.has(text.charCodeAt(before))) before--;
  if ((isAfterBlank ? STOPS : WIDE_STOPS).has(text.charCodeAt(before))) return SENTENCE;
  return isAfterBlank ? WORD : IN_WORD;
}

const codesOf = (characters: string): ReadonlySet<number> =>
  new Set(Array.from(characters, (character) => character.charCodeAt(0)));

const NEW_LINE = 0x0a;
/** What ends a sentence if a blank follows, and what does so by itself. */
const STOPS = codesOf('.!?…。！？');
const WIDE_STOPS = codesOf('。！？');
/** What still belongs to a sentence that has ended. */
const CLOSING = codesOf(`"'”’)]」』`);
/** No sentence ends in more of them, and a text of nothing else would be looked through from every place of it. */
const MOST_CLOSING = 8;

/** Of ASCII: what most characters are. */
function isLetter(code: number): boolean {
  return ((code | 0x20) - 0x61) >>> 0 < 26;
}

/** Of a character that takes two codes. */
function isSecondHalf(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** As `\s` has it. */
function isBlank(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return code === 0xa0 || (code >= 0x1680 && /\s/.test(String.fromCharCode(code)));
}
