/** What the processes that make load do: take one by IPC, run it, answer with what was measured. */
import type { LoadAnswer, Measured } from './load.ts';

export function answerLoads<L>(run: (load: L) => Promise<Measured>): void {
  process.on('message', async (load: L) => {
    let answer: LoadAnswer;
    try {
      answer = { measured: await run(load) };
    } catch (error) {
      answer = { error: error instanceof Error ? error.message : String(error) };
    }
    process.send!(answer);
  });
  process.once('disconnect', () => process.exit());
}
