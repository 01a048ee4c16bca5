/**
 * Ends a run with one line for a machine, `N passed, N failed`, and before it names every skipped test: a test that
 * did not run must be seen.
 */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    const skipped: string[] = [];
    for (const module of modules) {
      // A file that could not be loaded, or a set-up that failed, has no tests to count and is a failure all the same.
      for (const part of [module, ...module.children.allSuites()]) if (part.errors().length > 0) count.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') count.passed++;
        else if (result.state === 'failed') count.failed++;
        else {
          count.skipped++;
          skipped.push(`  ${module.relativeModuleId} > ${test.fullName}: ${whySkipped(test)}`);
        }
      }
    }
    count.failed += unhandledErrors.length;
    if (skipped.length > 0) console.log(`\nNOT RUN here:\n${skipped.join('\n')}`);
    const tail = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    console.log(`\n${count.passed} passed, ${count.failed} failed${tail}`);
  }
}

/** `context.skip(reason)` says it; a test whose set-up failed was to run and could not. */
function whySkipped(test: TestCase): string {
  const result = test.result();
  if (result.state === 'skipped' && result.note !== undefined) return result.note;
  return test.options.mode === 'run' ? 'the set-up before it failed' : 'the reason is in its name, or said above';
}
