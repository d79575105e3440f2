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

export interface Templates {
  /** What is wrong with a template before any data is seen; undefined when it compiles. */
  check(template: string): Promise<TemplateProblem | undefined>;
  /**
   * The text a template makes of the data. A variable that is not there renders as nothing, as Jinja has it; anything
   * else that goes wrong is FAILED_PRECONDITION `TEMPLATE_INVALID`, whose message begins with `name`.
   */
  render(template: string, data: JsonObject, name: string): Promise<string>;
}

/** Whether there is anything to render: a text without these is itself, to the last newline. */
export function isTemplate(text: string): boolean {
  return /\{[{%#]/.test(text);
}

/** `line 3, column 7: expected }}, found b` */
export function describe({ line, column, description }: TemplateProblem): string {
  return `line ${line}, column ${column}: ${description}`;
}
