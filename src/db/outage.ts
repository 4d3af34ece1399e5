/**
 * What D1 says when it did not answer, as its documentation lists them: the same request may succeed a moment later.
 * https://developers.cloudflare.com/d1/observability/debug-d1/#error-list
 */
const TRANSIENT =
  /Network connection lost|storage caused object to be reset|reset because its code was updated|D1 DB is overloaded|exceeded timeout|due to transient issue|memory limit and was reset/;

/** True where the database did not answer, rather than refusing what was asked; looks through wrapped errors. */
export function isOutage(error: unknown): boolean {
  for (let one = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth++) {
    if (TRANSIENT.test(one.message)) return true;
  }
  return false;
}
