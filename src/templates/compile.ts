/** A template's text made into a program, or what is wrong with it, and where. */
import { Environment, type Program, parse, type Token, tokenize } from './jinja.ts';
import { type Stuck, scan } from './scan.ts';
import type { TemplateProblem } from './template.ts';

/** As in every chat template: a tag that stands on a line of its own leaves no blank line behind. */
const WHITESPACE = { trim_blocks: true, lstrip_blocks: true };

/** Thrown by {@link compile}. */
export class DoesNotCompile extends Error {
  readonly problem: TemplateProblem;

  constructor(problem: TemplateProblem) {
    super(problem.description);
    this.problem = problem;
  }
}

export function compile(source: string): Program {
  let tokens: Token[];
  try {
    tokens = tokenize(source, WHITESPACE);
  } catch (error) {
    throw doesNotCompile(source, scan(source).stuck ?? { at: 0, description: (error as Error).message });
  }
  try {
    const program = parse(tokens);
    checkNames(tokens);
    return program;
  } catch (error) {
    throw doesNotCompile(source, located(source, tokens, whatIsWrong(tokens, error)));
  }
}

/** A problem as the tokens have it: which one it is about. */
class TokenProblem extends Error {
  readonly index: number;

  constructor(index: number, description: string) {
    super(description);
    this.index = index;
  }
}

/** The library looks a filter up when it gets there; its author would rather hear of it at once. */
function checkNames(tokens: readonly Token[]): void {
  for (const [index, { type, value }] of tokens.entries()) {
    if (type !== 'Identifier') continue;
    const [before, last] = [tokens[index - 2], tokens[index - 1]];
    if (last?.type === 'Pipe' && !FILTERS.has(value))
      throw new TokenProblem(index, `there is no filter ${value}`);
    const tested = isWord(last, 'is')
      ? before
      : isWord(last, 'not') && isWord(before, 'is') && tokens[index - 3];
    if (tested && tested.type !== 'Dot' && value !== 'not' && !TESTS.has(value))
      throw new TokenProblem(index, `there is no test ${value}`);
  }
}

const TESTS = new Environment().tests;
const FILTERS: ReadonlySet<string> = new Set(
  (
    'abs bool capitalize default dictsort first float get indent int items join keys last length list lower map ' +
    'rejectattr replace reverse safe selectattr sort string title tojson trim unique upper values'
  ).split(' '),
);

/** Parses once more, and watches which token the parser looked at last. */
function whatIsWrong(tokens: readonly Token[], error: unknown): TokenProblem {
  if (error instanceof TokenProblem) return error;
  if (error instanceof RangeError) return new TokenProblem(0, 'it is nested too deeply');
  let looked = 0;
  const watched = new Proxy(tokens, {
    get(target, property) {
      if (typeof property === 'string' && /^\d+$/.test(property)) looked = Number(property);
      return Reflect.get(target, property);
    },
  });
  try {
    parse(watched);
  } catch {
    if (looked >= tokens.length) return neverClosed(tokens);
  }
  return new TokenProblem(looked, explained((error as Error).message, tokens[looked]!));
}

/** When the tokens ran out: which tag or block waits for its end. */
function neverClosed(tokens: readonly Token[]): TokenProblem {
  const blocks: { index: number; name: string }[] = [];
  let tag = -1;
  for (const [index, { type, value }] of tokens.entries()) {
    if (type === 'OpenExpression' || type === 'OpenStatement') tag = index;
    if (type === 'CloseExpression' || type === 'CloseStatement') tag = -1;
    if (type !== 'Identifier' || tokens[index - 1]?.type !== 'OpenStatement') continue;
    if (value.startsWith('end')) blocks.pop();
    else if (BLOCKS.has(value) || (value === 'set' && !assigns(tokens, index)))
      blocks.push({ index: index - 1, name: value });
  }
  if (tag >= 0) return new TokenProblem(tag, `this ${tokens[tag]!.value} is never closed`);
  const innermost = blocks.at(-1);
  return innermost
    ? new TokenProblem(innermost.index, `this {% ${innermost.name} %} is never closed`)
    : new TokenProblem(tokens.length - 1, 'something is missing at the end');
}

const BLOCKS = new Set(['if', 'for', 'macro', 'call', 'filter']);

/** Whether a `set` has its value in the tag, not in a block. */
function assigns(tokens: readonly Token[], set: number): boolean {
  const rest = tokens.slice(set).map(({ type }) => type);
  return rest.slice(0, rest.indexOf('CloseStatement')).includes('Equals');
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.type === 'Identifier' && token.value === word;
}

/** The parser's words, in terms of what its author wrote. */
function explained(message: string, token: Token): string {
  const expected = /!== (\w+)\.$/.exec(message)?.[1];
  if (expected) return `expected ${SPELLINGS[expected] ?? expected}, found ${spelt(token)}`;
  if (/^Unexpected token|^Unknown statement, got/.test(message)) return `unexpected ${spelt(token)}`;
  const tag = /^Unknown statement type: (.*)$/.exec(message)?.[1];
  if (tag && /^end|^else$|^elif$/.test(tag)) return `{% ${tag} %} belongs to no open block`;
  if (tag) return `there is no tag {% ${tag} %}`;
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/, got \w+ instead$/, '');
}

const SPELLINGS: Record<string, string> = {
  OpenStatement: '{%',
  CloseStatement: '%}',
  CloseExpression: '}}',
  OpenParen: '(',
  CloseParen: ')',
  CloseSquareBracket: ']',
  Colon: ':',
};

function spelt({ type, value }: Token): string {
  if (type === 'StringLiteral') return 'a string';
  return type === 'Text' || type === 'Comment' ? `a ${type.toLowerCase()}` : value;
}

/** Finds a token in the source: one by one, since whitespace control may have taken a text away altogether. */
function located(source: string, tokens: readonly Token[], { index, message }: TokenProblem): Stuck {
  const { spans } = scan(source);
  let span = -1;
  for (const { type } of tokens.slice(0, index + 1)) {
    span++;
    if (type !== 'Text' && spans[span]?.kind === 'text') span++;
  }
  return { at: spans[span]?.at ?? 0, description: message };
}

function doesNotCompile(source: string, { at, description }: Stuck): DoesNotCompile {
  const before = source.slice(0, at);
  const line = before.slice(before.lastIndexOf('\n') + 1);
  return new DoesNotCompile({
    line: before.split('\n').length,
    column: [...line].length + 1,
    description,
  });
}
