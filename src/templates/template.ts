/**
 * Jinja templates, as the rest of the server sees them.
 *
 * A template belongs to a caller and may be hostile: whatever it does, it takes a bounded time and reaches nothing
 * but the data it is given.
 */
import type { JsonObject } from '../structs/json.ts';

/** Why a template does not compile, and where; lines and columns count from 1, columns in characters. */
export interface TemplateProblem {
  readonly line: number;
  readonly column: number;
  readonly description: string;
}

/** Who waits for a template. */
export interface Requester {
  /** Namespaces take turns. */
  readonly namespace: string;
  /** Aborts when nobody waits any more: what has not begun by then never does. */
  readonly signal: AbortSignal;
}

/** Both reject with the signal's reason as soon as the requester is gone. */
export interface Templates {
  /** What is wrong with a template before any data is seen; undefined when it compiles. */
  check(template: string, requester: Requester): Promise<TemplateProblem | undefined>;
  /**
   * The text a template makes of the data. A variable that is not there renders as nothing, as Jinja has it; anything
   * else that goes wrong is FAILED_PRECONDITION `TEMPLATE_INVALID`, whose message begins with `name`.
   */
  render(template: string, data: JsonObject, name: string, requester: Requester): Promise<string>;
}

/** Whether there is anything to render: a text without these is itself, to the last newline. */
export function isTemplate(text: string): boolean {
  return /\{[{%#]/.test(text);
}

/** `line 3, column 7: expected }}, found b` */
export function describe({ line, column, description }: TemplateProblem): string {
  return `line ${line}, column ${column}: ${description}`;
}
