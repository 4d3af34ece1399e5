/**
 * Source of one regular expression for the address patterns of a shop's settings or of the script's own address,
 * for `TrackerConfig.cart` and `.thanks`; the browser tests it against the whole address. `*` is any text, everything
 * else is taken as written; a query need not be in the pattern: `/cart` is also `/cart?x=1`, but not `/cart/add`.
 * Undefined without patterns.
 */
export function addressPattern(patterns: readonly string[]): string | undefined {
  if (patterns.length === 0) return undefined;
  const alternatives = patterns.map((pattern) => pattern.replace(/[^\w*]/g, "\\$&").replaceAll("*", ".*"));
  return `^[^/]+//[^/]+(${alternatives.join("|")})([?#]|$)`;
}
