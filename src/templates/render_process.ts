/**
 * The process templates run in: no environment, no files, no processes of its own, a small heap. It does one job
 * after the other; its parent ends it when one takes too long, and it ends when its parent does.
 */
import { compile, DoesNotCompile } from './compile.ts';
import { evaluate, heapIsFull } from './evaluate.ts';
import type { Job, Result } from './renderer.ts';

/** What is told of an error at most: its author may have put anything into it. */
const MAX_ERROR_LENGTH = 500;

function done({ template, data }: Job): Result {
  try {
    const program = compile(template);
    return { text: data === undefined ? '' : evaluate(program, data) };
  } catch (error) {
    if (error instanceof DoesNotCompile) return { problem: error.problem };
    return { failure: (error as Error).message.slice(0, MAX_ERROR_LENGTH) };
  }
}

process.on('message', (job: Job) => {
  const result = done(job);
  heapIsFull(); // what this one leaves behind is not the next one's to die of
  process.send!(result);
});
process.send!('ready');
