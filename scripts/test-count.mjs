/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */
/** @typedef {import('vitest/node').TestModule} TestModule */

/** A file that cannot be loaded and a hook that throws fail without failing any one test. */
function errorsOutsideTests(/** @type {TestModule} */ module) {
  const suites = [...module.children.allSuites()];
  return [module, ...suites].filter((suite) => suite.errors().length > 0).length;
}

/**
 * Counts the tests of a finished run. Errors that belong to no test count as failed, a test that never ended too.
 * @param {readonly TestModule[]} modules
 * @param {readonly unknown[]} unhandledErrors
 * @returns {Counts}
 */
export function count(modules, unhandledErrors) {
  const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
  for (const module of modules) {
    counts.failed += errorsOutsideTests(module);
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      counts[state === 'pending' ? 'failed' : state] += 1;
    }
  }
  return counts;
}

/**
 * Whether the run may be called a success: something ran, nothing failed, and in CI nothing was left out.
 * @param {Counts} counts
 * @param {boolean} ci
 * @returns {boolean}
 */
export function succeeded(counts, ci) {
  return counts.passed > 0 && counts.failed === 0 && !(ci && counts.skipped > 0);
}

/**
 * @param {Counts} counts
 * @returns {string}
 */
export function closingLine({ passed, failed, skipped }) {
  const line = `${passed} passed, ${failed} failed`;
  return skipped > 0 ? `${line}, ${skipped} skipped` : line;
}
