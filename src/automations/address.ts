import { addressPattern } from "../collect";
import type { VisitedUrl } from "./elements";
import type { z } from "zod";

type Visited = z.infer<typeof VisitedUrl>;

/**
 * Whether a page's address is the one meant:
 *
 * | match         | rule                                                                                                  |
 * | ------------- | ----------------------------------------------------------------------------------------------------- |
 * | `exact`       | the patterns of `docs/tracker.md`: `*` is anything, `/path` is on any host; a slash at the end, the scheme, the case of the host, a query and a fragment that the pattern does not name make no difference |
 * | `starts_with` | the address begins with it; without a scheme any scheme, a `/path` on any host                       |
 * | `contains`    | it stands anywhere in the address, `*` being anything                                                 |
 *
 * The last two do not tell upper case from lower.
 */
export function visits(element: Visited, address: string): boolean {
  if (element.match === "exact") return regularly(`^(?:${exactly(element.url)})`).test(hostInLowerCase(address));
  const text = pieces(element.url).map(escaped).join(".*");
  const start = element.url.startsWith("/")
    ? "^[a-z]+://[^/?#]+"
    : /^[a-z]+:\/\//i.test(element.url)
      ? "^"
      : "^(?:[a-z]+://)?";
  return regularly(element.match === "contains" ? text : start + text, "i").test(address);
}

function exactly(url: string): string {
  return addressPattern([/^(\/|https?:\/\/|\*)/i.test(url) ? url : `https://${url}`]) ?? "$^";
}

const compiled = new Map<string, RegExp>();

/** Patterns hold nothing but letters and `.*`, so none of them is slow; each is read once per isolate. */
function regularly(source: string, flags = ""): RegExp {
  const name = `${flags} ${source}`;
  let pattern = compiled.get(name);
  if (!pattern) {
    if (compiled.size > 1_000) compiled.clear();
    pattern = new RegExp(source, flags);
    compiled.set(name, pattern);
  }
  return pattern;
}

function hostInLowerCase(address: string): string {
  return address.replace(/^[a-z]+:\/\/[^/?#]+/i, (origin) => origin.toLowerCase());
}

/** The parts between stars, as browsers write them. */
function pieces(url: string): string[] {
  return url
    .split(/\*+/)
    .map((piece) => piece.replace(/[^\0-\x7F]+/g, (other) => encodeURIComponent(other.toWellFormed())));
}

function escaped(text: string): string {
  return text.replace(/[^\w]/g, String.raw`\$&`);
}

/** The longest text, in lower case, that every address meant contains. */
export function needleOf({ url }: Visited): string {
  const [longest = ""] = pieces(url.replace(/^https?:\/\//i, ""))
    .map((piece) => piece.replace(/\/+$/, ""))
    .sort((a, b) => b.length - a.length);
  return longest.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
