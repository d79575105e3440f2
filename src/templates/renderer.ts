/**
 * Runs templates in a process of their own, one after the other. Namespaces take turns: one with many templates, or
 * costly ones, delays another's by one of its own.
 *
 * Not in a thread: one long list or string, made in one step, overruns a thread's heap limit, and V8 then ends the
 * whole process (`range(1000000000)` did). The process is started when it is first needed and again after it died;
 * whoever waits behind a template that killed it is served by the next.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ParleyError } from '../errors.ts';
import type { Milliseconds } from '../sessions/session.ts';
import type { JsonObject } from '../structs/json.ts';
import { FairQueue } from './fair_queue.ts';
import { describe, isTemplate, type Requester, type TemplateProblem, type Templates } from './template.ts';

/** What the process is asked: to render, or, without data, to compile. */
export interface Job {
  readonly template: string;
  readonly data?: JsonObject;
}

export type Result =
  | { readonly text: string }
  | { readonly problem: TemplateProblem }
  /** What went wrong on the data. */
  | { readonly failure: string };

/** Longer than a template may compute: it ends what the process cannot end itself. */
const JOB_LIMIT: Milliseconds = 1000;
const START_LIMIT: Milliseconds = 20_000;
/** Twice what a template may fill: what is over the limit ends the process. */
const HEAP_MB = 128;

interface Waiting {
  readonly namespace: string;
  readonly job: Job;
  resolve(result: Result): void;
  reject(error: Error): void;
}

export class TemplateRenderer implements Templates {
  readonly #queue = new FairQueue<Waiting>();
  #process: ChildProcess | undefined;
  /** Undefined while the process starts, and between two jobs. */
  #current: Waiting | undefined;
  #limit: NodeJS.Timeout | undefined;
  /** How often in a row the process did not come to be. */
  #failedStarts = 0;
  #closed = false;

  async check(template: string, requester: Requester): Promise<TemplateProblem | undefined> {
    if (!isTemplate(template)) return undefined;
    const result = await this.#run({ template }, requester);
    if ('failure' in result) return { line: 1, column: 1, description: result.failure };
    return 'problem' in result ? result.problem : undefined;
  }

  async render(template: string, data: JsonObject, name: string, requester: Requester): Promise<string> {
    if (!isTemplate(template)) return template;
    const result = await this.#run({ template, data }, requester);
    if ('text' in result) return result.text;
    const reason = 'problem' in result ? describe(result.problem) : result.failure;
    throw new ParleyError('TEMPLATE_INVALID', `${name}: ${reason}`, {
      code: 'FAILED_PRECONDITION',
      fields: [{ field: name, description: reason }],
    });
  }

  /** Ends the process; what still waits is refused. */
  close(): void {
    this.#closed = true;
    this.#process?.kill('SIGKILL');
    while (!this.#queue.isEmpty) this.#queue.next()?.reject(stopping());
  }

  async #run(job: Job, { namespace, signal }: Requester): Promise<Result> {
    if (this.#closed) throw stopping();
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const waiting = { namespace, job, resolve, reject };
    // A job that has begun runs to its end or its limit: starting the process again would take as long.
    const leave = () => {
      this.#queue.delete(waiting);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave);
    this.#queue.add(waiting);
    if (!this.#process) this.#start();
    else if (!this.#limit) this.#next();
    return promise.finally(() => signal.removeEventListener('abort', leave));
  }

  #start(): void {
    const child = spawn('/bin/sh', ARGUMENTS, {
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#process = child;
    this.#busy(START_LIMIT);
    let cause: Error | undefined;
    child.on('message', (message: 'ready' | Result) => {
      if (child.killed) return; // its exit is on its way, and is heard of then
      if (message === 'ready') this.#failedStarts = 0;
      else this.#current?.resolve(message);
      this.#next();
    });
    child.on('error', (error) => {
      cause = error;
      if (child.pid === undefined) this.#ended(cause); // no exit follows
    });
    child.on('exit', () => this.#ended(cause));
  }

  /** Begins the job whose turn it is. */
  #next(): void {
    this.#idle();
    const current = this.#queue.next();
    this.#current = current;
    if (!current) return;
    this.#busy(JOB_LIMIT);
    this.#process!.send(current.job, (error) => error && this.#takeBack(current));
  }

  /** It could not be sent: the process has died, for no fault of this job, which the next one does. */
  #takeBack(job: Waiting): void {
    if (this.#current !== job || this.#closed) return;
    this.#current = undefined;
    this.#queue.add(job);
  }

  /** The clock that runs is the sign of being busy. */
  #busy(limit: Milliseconds): void {
    const clock = setTimeout(() => {
      // When it is this process that is late, the answer has come meanwhile: it is read before this turn ends.
      setImmediate(() => {
        if (this.#limit === clock) this.#process?.kill('SIGKILL');
      });
    }, limit);
    this.#limit = clock;
    this.#process?.ref();
    this.#process?.channel?.ref();
  }

  /** An idle process keeps no program from ending. */
  #idle(): void {
    clearTimeout(this.#limit);
    this.#limit = undefined;
    this.#process?.unref();
    this.#process?.channel?.unref();
  }

  #ended(cause: Error | undefined): void {
    this.#idle();
    this.#process = undefined;
    const current = this.#current;
    this.#current = undefined;
    if (this.#closed) current?.reject(stopping());
    else if (current) current.resolve({ failure: 'takes too much time or memory' });
    // It never came to a job. That may happen once, to one that is killed from outside; the next time somebody hears of
    // it, so that this does not go on for ever.
    else if (++this.#failedStarts > 1)
      this.#queue.next()?.reject(new Error('the template process does not start', { cause }));
    if (!this.#queue.isEmpty) this.#start();
  }
}

const HERE = dirname(fileURLToPath(import.meta.url));
const LIBRARY = dirname(dirname(createRequire(import.meta.url).resolve('@huggingface/jinja')));

/** A breakout would find a process without environment that may read these two folders, and write and start nothing. */
const ARGUMENTS = [
  '-c',
  'ulimit -c 0; exec "$0" "$@"', // a template that fills the heap shall not fill the disk with core files
  process.execPath,
  '--expose-gc',
  '--permission',
  `--allow-fs-read=${HERE}`,
  `--allow-fs-read=${LIBRARY}`,
  `--max-old-space-size=${HEAP_MB}`,
  join(HERE, 'render_process.ts'),
];

function stopping(): ParleyError {
  return new ParleyError('SERVER_STOPPING', 'the server is stopping');
}
