/** What is used of `@huggingface/jinja`, with types: its own cannot be resolved by a module that runs in Node. */
import * as jinja from '@huggingface/jinja';

export interface Token {
  readonly type: string;
  readonly value: string;
}

/** A syntax tree, of no interest but to the interpreter. */
export type Program = { readonly type: 'Program' };

/** A value while a template runs; absent where the library forgot one. */
export type Value = { readonly value: unknown } | undefined;

export interface Scope {
  readonly tests: ReadonlyMap<string, unknown>;
  set(name: string, value: unknown): void;
}

interface Running {
  run(program: Program): { readonly value: string };
  evaluate(statement: unknown, scope: Scope): Value;
}

interface Library {
  tokenize(source: string, options: { trim_blocks: boolean; lstrip_blocks: boolean }): Token[];
  parse(tokens: readonly Token[]): Program;
  Environment: new (parent?: Scope) => Scope;
  Interpreter: new (scope: Scope) => Running;
}

export const { tokenize, parse, Environment, Interpreter } = jinja as unknown as Library;
