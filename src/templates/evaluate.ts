/** Runs a program on data, within bounds. */
import { getHeapStatistics } from 'node:v8';
import { Environment, Interpreter, type Program, type Scope, type Value } from './jinja.ts';
import { strftime } from './strftime.ts';

/** What a rendered text takes at most in UTF-8: as much as one that is no template. */
export const MAX_RENDERED_BYTES = 64 * 1024;
/** Of the processor, not of the clock: a busy machine is not the template's fault. */
export const MAX_CPU_MS = 250;
/** Of the heap; the process would not survive much more. */
const MAX_HEAP_BYTES = 64 * 1024 * 1024;
/** The longest string and list on the way; what a runaway template meets first. */
const MAX_LENGTH = MAX_RENDERED_BYTES;
/** How many steps are taken between two looks at time and memory. */
const STEPS = 256;

/** Throws an Error whose message its author can do something with. */
export function evaluate(program: Program, data: Record<string, unknown>): string {
  const globals = new Environment();
  for (const [name, value] of Object.entries(GLOBALS)) globals.set(name, value);
  globals.set('strftime_now', (format: unknown) => strftime(new Date(String(data.now)), String(format)));
  const scope = new Environment(globals);
  for (const [name, value] of Object.entries(data)) scope.set(name, value);
  let text: string;
  try {
    text = new BoundedInterpreter(scope).run(program).value;
  } catch (error) {
    throw new Error(explained(error));
  }
  if (Buffer.byteLength(text) > MAX_RENDERED_BYTES)
    throw new Error(`renders more than ${MAX_RENDERED_BYTES} bytes`);
  return text;
}

/**
 * The library's own functions, but for two things: a `range` has an end, and the time is the data's, so that the same
 * data renders the same text on any server.
 */
const GLOBALS = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range,
  raise_exception: (message: unknown) => {
    throw new Error(String(message ?? 'raise_exception() was called'));
  },
};

class BoundedInterpreter extends Interpreter {
  readonly #begin = process.cpuUsage();
  #steps = 0;

  override evaluate(statement: unknown, scope: Scope): Value {
    if (this.#steps++ % STEPS === 0) this.#checkBounds();
    const result = super.evaluate(statement, scope);
    const value = result?.value;
    if ((typeof value === 'string' || Array.isArray(value)) && value.length > MAX_LENGTH)
      throw new Error(`makes a string or a list longer than ${MAX_LENGTH}`);
    return result;
  }

  #checkBounds(): void {
    const { user, system } = process.cpuUsage(this.#begin);
    if (user + system > MAX_CPU_MS * 1000) throw new Error(`takes longer than ${MAX_CPU_MS} ms`);
    if (heapIsFull()) throw new Error('takes too much memory');
  }
}

/** Whether it is even without its garbage, which is collected when it seems so. */
export function heapIsFull(): boolean {
  const isFull = () => getHeapStatistics().used_heap_size > MAX_HEAP_BYTES;
  if (!isFull()) return false;
  gc?.();
  return isFull();
}

function range(...args: unknown[]): number[] {
  if (args.length < 1 || args.length > 3 || !args.every(Number.isInteger))
    throw new Error('range() takes one to three whole numbers');
  const [first, second, step = 1] = args as number[];
  const [start, stop] = second === undefined ? [0, first!] : [first!, second];
  if (step === 0) throw new Error('range() goes nowhere by a step of zero');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > MAX_LENGTH) throw new Error(`makes a range longer than ${MAX_LENGTH}`);
  return Array.from({ length }, (_, index) => start + index * step);
}

/** The library's words, its types by the names their users know. */
function explained(error: unknown): string {
  if (error instanceof RangeError)
    return /call stack/.test(error.message) ? 'recurses too deeply' : 'makes a string that is too long';
  // The library stumbled: over the first of nothing, mostly.
  if (error instanceof TypeError) return 'uses something that is not there';
  const message = (error as Error).message.replace(
    /\b([A-Z]\w+)Value\b/g,
    (type, name) => TYPES[name] ?? type,
  );
  return message || 'uses break or continue outside of a loop';
}

const TYPES: Record<string, string> = {
  Array: 'list',
  Tuple: 'tuple',
  Object: 'mapping',
  Namespace: 'namespace',
  String: 'string',
  Integer: 'integer',
  Float: 'float',
  Numeric: 'number',
  Boolean: 'boolean',
  Null: 'none',
  Undefined: 'undefined',
  Function: 'function',
};
