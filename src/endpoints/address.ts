/** Names that lead into a private network, or nowhere, by convention or by a standard (RFC 6761, 6762, 8375, 9476). */
const PRIVATE_SUFFIXES = [
  "localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa", "onion",
  "invalid", "alt", "arpa",
]; // prettier-ignore

/** Lowest port beside 443 that may be named: below are services that are not the web. */
const FIRST_FREE_PORT = 1024;

/**
 * Why this address may not be called, in words for the caller; null where it may. Deliveries go to a public host by
 * its name, over https and on no odd port. The URL parser has already brought every notation of an IPv4 address
 * (decimal, octal, hexadecimal, short) to dotted form, full-width letters to ASCII and upper case to lower.
 *
 * What a name resolves to is not known here: a Worker cannot ask the DNS.
 */
export function addressProblem(text: string): string | null {
  const url = URL.parse(text);
  if (!url) return "is not an address";
  if (url.protocol !== "https:") return "must begin with https://";
  if (url.username !== "" || url.password !== "") return "must not hold credentials";
  if (url.port !== "" && Number(url.port) < FIRST_FREE_PORT) return "may only name a port from 1024 on";
  const host = url.hostname.replace(/\.+$/, "");
  if (host.startsWith("[") || /^[\d.]+$/.test(host)) return "must name a host, not an IP address";
  if (!host.includes(".")) return "must name a public host";
  if (PRIVATE_SUFFIXES.some((suffix) => host.endsWith(`.${suffix}`))) return "must name a public host";
  return null;
}
