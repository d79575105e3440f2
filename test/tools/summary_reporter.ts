/** Ends a test run with `N passed, N failed`, alone on the last line, for programs to read. */
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const passed = sum(modules, ({ children }) => [...children.allTests('passed')].length);
    const failed = sum(modules, failuresIn) + unhandled.length;
    // At exit, because the other reporters and the teardown still have something to say.
    process.once('exit', () => console.log(`${passed} passed, ${failed} failed`));
  }
}

/** A file that does not load and a hook that fails count too: their tests never ran. */
function failuresIn(module: TestModule): number {
  const suites = [module, ...module.children.allSuites()];
  return [...module.children.allTests('failed')].length + sum(suites, (suite) => suite.errors().length);
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
