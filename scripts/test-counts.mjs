/**
 * The closing line of a test run, from vitest's JSON reports.
 * A file that could not be loaded, or a run without a report or without a test, counts as one failure.
 * @param {{ report: unknown, code: number | string }[]} runs what vitest left, and how it ended
 * @returns {{ line: string, failed: number }}
 */
export function countTests(runs) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const run of runs) {
    const { passed, failed, skipped } = countRun(run);
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped += skipped;
  }
  const skipped = sum.skipped ? `, ${sum.skipped} skipped` : "";
  return { line: `${sum.passed} passed, ${sum.failed} failed${skipped}`, failed: sum.failed };
}

/** @param {{ report: unknown, code: number | string }} run */
function countRun({ report, code }) {
  const {
    numPassedTests = 0,
    numFailedTests = 0,
    numPendingTests = 0,
    numTodoTests = 0,
    testResults = [],
  } = /** @type {Record<string, any>} */ (report ?? {});
  const broken = testResults.filter(
    (/** @type {any} */ file) =>
      file.status === "failed" && file.assertionResults.every((one) => one.status !== "failed"),
  ).length;
  let failed = numFailedTests + broken;
  if (failed === 0 && (code !== 0 || numPassedTests === 0)) failed = 1;
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}
