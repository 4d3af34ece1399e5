/** Scheme and host of any address. */
const ANY_HOST = "[^/]+//[^/?#]+";

/** A query that the pattern does not speak of, and a fragment that is no route. */
const REST = String.raw`(\?[^#]*)?(#(?![!/]).*)?$`;

/**
 * Source of one regular expression for the address patterns of a shop's settings, for `TrackerConfig.cart` and
 * `.thanks`; the browser tests it against the whole address. `docs/tracker.md` has the rules as a table. Undefined
 * without patterns.
 */
export function addressPattern(patterns: readonly string[]): string | undefined {
  return patterns.length === 0 ? undefined : `^(${patterns.map(alternative).join("|")})${REST}`;
}

/** `/path` is that path on any host, `https://host/path` on that host, and what begins with `*` anywhere. */
function alternative(pattern: string): string {
  const named = /^https?:\/\/([^/?#]+)(.*)$/i.exec(pattern);
  const host = named ? `[^/]+//${literal(named[1]?.toLowerCase() ?? "", "[^/?#]*")}` : ANY_HOST;
  const [, path = "", tail = ""] = /^([^?#]*)(.*)$/.exec(named ? (named[2] ?? "") : pattern) ?? [];
  const start = pattern.startsWith("*") ? "" : host;
  if (tail !== "") return start + literal(path, "[^?#]*") + literal(tail, ".*");
  // A star must not reach into the query: `*cart*` would be every page that a campaign named "cart" leads to.
  return `${start}${literal(path.replace(/\/+$/, ""), "[^?#]*")}/?`;
}

/** Text as browsers write it in an address, with every `*` as `any`. */
function literal(text: string, any: string): string {
  return text
    .replace(/[^\0-\x7F]+/g, (other) => encodeURIComponent(other.toWellFormed()))
    .replace(/[^\w*]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, any);
}
