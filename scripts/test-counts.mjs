/**
 * The closing line of a test run, from vitest's JSON report.
 * A file that could not be loaded, or a run without a report or without a test, counts as one failure.
 * @param {unknown} report
 * @param {number | string} code how vitest ended
 * @returns {{ line: string, failed: number }}
 */
export function countTests(report, code) {
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
  const skipped = numPendingTests + numTodoTests;
  let failed = numFailedTests + broken;
  if (failed === 0 && (code !== 0 || numPassedTests === 0)) failed = 1;
  return { line: `${numPassedTests} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`, failed };
}
