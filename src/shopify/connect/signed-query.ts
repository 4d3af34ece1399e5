import { hmacMatches } from "../../lib/crypto";

/** How old a signed query may be, in either direction, ms. */
const MOST_AGE_MS = 90_000;

/**
 * True for a query that Shopify signed with one of these secrets in the last 90 seconds: hex HMAC-SHA256 over the other
 * parameters, sorted and joined by `&`. A parameter that occurs twice is refused, since one reader may see the first
 * and another the second.
 */
export async function isSignedQuery(query: URLSearchParams, secrets: string[], now: number): Promise<boolean> {
  const names = [...query.keys()];
  const signature = hexBytes(query.get("hmac") ?? "");
  const age = Math.abs(now - Number(query.get("timestamp") ?? Number.NaN) * 1_000);
  if (!signature || new Set(names).size !== names.length || !(age <= MOST_AGE_MS)) return false;
  const pairs = [...query].filter(([name]) => name !== "hmac").sort(([a], [b]) => (a < b ? -1 : 1));
  const plain = pairs.map(([name, value]) => `${name}=${value}`).join("&");
  // Shopify's own library signs the encoded form; the two differ only where a value holds reserved characters.
  const encoded = new URLSearchParams(pairs).toString();
  for (const secret of secrets) {
    if (await hmacMatches(secret, plain, signature)) return true;
    if (encoded !== plain && (await hmacMatches(secret, encoded, signature))) return true;
  }
  return false;
}

function hexBytes(text: string): Uint8Array | null {
  if (!/^[0-9a-f]{64}$/i.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}
