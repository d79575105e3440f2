/** The load generator's process: takes a {@link Load} by IPC, runs it, answers with what it measured. */
import { ClosedLoop } from './closed_loop.ts';
import type { Load, LoadAnswer } from './load.ts';

process.on('message', async (load: Load) => {
  let answer: LoadAnswer;
  try {
    answer = { measured: await new ClosedLoop(load).run() };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  process.send!(answer);
});
process.once('disconnect', () => process.exit());
