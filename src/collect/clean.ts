/** Query parameters of campaigns: kept in stored addresses without being asked for. */
const CAMPAIGN_PARAMS = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "ref", "source"];

/** Never stored, whatever a shop keeps: our link token and Shopify's cart and checkout keys. */
const SECRET_PARAMS = new Set(["ff_id", "key", "token"]);

const LONGEST = 2_000;

/** Anything like an e-mail address, also percent-encoded. */
const EMAIL_LIKE = /[^\s/?#&=:;,"'<>()]+(?:@|%40)[^\s/?#&=:;,"'<>()@]+\.[a-z]{2,}/gi;

/** Text without anything like an e-mail address. */
export function withoutEmails(text: string): string {
  return text.includes("@") || /%40/.test(text) ? text.replaceAll(EMAIL_LIKE, "[removed]") : text;
}

/** An address as it may be stored: allowed parameters in their order, no secrets, no fragment but a route's. */
export function cleanUrl(url: string, keepParams: readonly string[]): string | null {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) return null;
  const kept = new URLSearchParams();
  for (const [name, value] of parsed.searchParams) {
    if (SECRET_PARAMS.has(name.toLowerCase())) continue;
    if (CAMPAIGN_PARAMS.includes(name) || keepParams.includes(name)) kept.append(name, value);
  }
  const query = kept.size > 0 ? `?${kept.toString()}` : "";
  const route = /^#!?\//.test(parsed.hash) ? (parsed.hash.split("?")[0] ?? "") : "";
  return withoutEmails(`${parsed.origin}${parsed.pathname}${query}${route}`).slice(0, LONGEST);
}

/** A foreign page: its parameters are none of ours. */
export function cleanReferrer(referrer: URL): string {
  return withoutEmails(`${referrer.origin}${referrer.pathname}`).slice(0, LONGEST);
}

/** Event data without e-mail addresses in any text, at any depth. Keys named like personal data are dropped. */
export function cleanData(data: Record<string, unknown>): Record<string, unknown> | null {
  const entries = Object.entries(data)
    .filter(([key]) => !PERSONAL_KEYS.test(key))
    .map(([key, value]) => [withoutEmails(key), cleanValue(value)]);
  return entries.length > 0 ? Object.fromEntries(entries) : null;
}

const PERSONAL_KEYS =
  /^(e-?mail|phone|mobile|telephone|first_?name|last_?name|full_?name|password|address[12]?|street|ip|ip_?address)$/i;

function cleanValue(value: unknown): unknown {
  if (typeof value === "string") return withoutEmails(value);
  if (Array.isArray(value)) return value.map(cleanValue);
  if (typeof value === "object" && value !== null) return cleanData(Object.fromEntries(Object.entries(value))) ?? {};
  return value;
}
