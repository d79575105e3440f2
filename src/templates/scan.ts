/**
 * Where the tokens of a template begin.
 *
 * The library's tokens and errors carry no positions, so the source is read once more by the same rules. Only a
 * template that does not compile is.
 */

/** One token: its kind as far as it matters here, and where it begins. */
export interface Span {
  readonly kind: 'text' | 'comment' | 'open' | 'close' | 'operand' | 'other';
  readonly at: number;
}

/** What no token can begin with, and where it is. */
export interface Stuck {
  readonly at: number;
  readonly description: string;
}

const ESCAPE = String.raw`\\(?:[ntrbfv'"\\]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})`;
const NUMBER = String.raw`[0-9]+(?:\.[0-9]+)?`;
/** What a quote begins, as far as it is well-formed. */
const STRING = new RegExp(`"(?:[^"\\\\]|${ESCAPE})*|'(?:[^'\\\\]|${ESCAPE})*`, 'y');
const OPERAND = new RegExp(String.raw`${NUMBER}|\w+|[)\]]`, 'y');
const SIGNED = new RegExp(`[-+](?:${NUMBER})?`, 'y');
const INTEGER = /[0-9]+/y;
const OTHER = /\{%-?|\{\{-?|<=|>=|==|!=|\*\*|\/\/|[({}[,.:|<>+\-~*/%=]/y;
const SPACE = /\s*/y;

/** The tokens in order, through the first place where there is none. */
export function scan(source: string): { readonly spans: readonly Span[]; readonly stuck: Stuck | undefined } {
  const spans: Span[] = [];
  const braces = { open: 0 };
  let at = 0;
  while (at < source.length) {
    const found = source.slice(at).search(/\{[{%#]/);
    const open = found < 0 ? source.length : at + found;
    if (open > at) spans.push({ kind: 'text', at });
    if (open === source.length) break;
    if (source[open + 1] === '#') {
      spans.push({ kind: 'comment', at: open });
      const end = source.indexOf('#}', open + 2);
      if (end < 0) return { spans, stuck: { at: open, description: 'this comment is never closed' } };
      at = end + 2;
    } else {
      const tag = scanTag(source, open, spans, braces);
      if (typeof tag !== 'number') return { spans, stuck: tag };
      at = tag;
    }
  }
  return { spans, stuck: undefined };
}

/**
 * Adds the tokens of one tag, and returns where it ends. Inside of `{ }`, two closing braces are two tokens; the library
 * counts on from tag to tag, until the next `{{`.
 */
function scanTag(source: string, open: number, spans: Span[], braces: { open: number }): number | Stuck {
  spans.push({ kind: 'open', at: open });
  let at = open + (source[open + 2] === '-' ? 3 : 2);
  if (source[open + 1] === '{') braces.open = 0;
  for (;;) {
    at = matched(SPACE, source, at) ?? at;
    if (at >= source.length) {
      return { at: open, description: `this ${source.slice(open, open + 2)} is never closed` };
    }
    const close = /^(?:-?%\}|-\}\}|\}\})/.exec(source.slice(at, at + 3))?.[0];
    if (close && (braces.open <= 0 || close !== '}}')) {
      spans.push({ kind: 'close', at });
      return at + close.length;
    }
    const token = quoted(source, at) ?? unquoted(source, at, spans.at(-1)!);
    if ('description' in token) return token;
    const text = source.slice(at, token.end);
    if (text === '{') braces.open++;
    else if (text === '}') braces.open--;
    else if (text.startsWith('{{')) braces.open = 0;
    spans.push({ kind: token.kind, at });
    at = token.end;
  }
}

type Token = { readonly kind: Span['kind']; readonly end: number };

function quoted(source: string, at: number): Token | Stuck | undefined {
  const end = matched(STRING, source, at);
  if (end === undefined) return undefined;
  if (end >= source.length) return { at, description: 'this string is never closed' };
  if (source[end] === source[at]) return { kind: 'operand', end: end + 1 };
  return { at: end, description: `a string knows no ${JSON.stringify(character(source, end + 1))} after \\` };
}

function unquoted(source: string, at: number, last: Span): Token | Stuck {
  // After a dot comes one index, not a fraction.
  const operand = (source[last.at] === '.' && matched(INTEGER, source, at)) || matched(OPERAND, source, at);
  if (operand) return { kind: 'operand', end: operand };
  const end = (last.kind !== 'operand' && matched(SIGNED, source, at)) || matched(OTHER, source, at);
  if (end) return { kind: 'other', end };
  return { at, description: `unexpected character ${JSON.stringify(character(source, at))}` };
}

/** Where a match that begins here ends. */
function matched(pattern: RegExp, source: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : undefined;
}

function character(source: string, at: number): string {
  return String.fromCodePoint(source.codePointAt(at) ?? 0xfffd);
}
