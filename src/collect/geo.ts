/** Where a visitor was, as three names. Never an address. */
export interface Geo {
  /** ISO 3166-1 alpha-2. */
  country: string | null;
  /** State or province by name. */
  region: string | null;
  city: string | null;
}

const NOWHERE: Geo = { country: null, region: null, city: null };

/** The autonomous system that the local runtime's made-up `request.cf` names (Austin, Texas); no visitor comes from it. */
const PLACEHOLDER_ASN = 395747;

/**
 * Geo of a request: from `request.cf`, or from Cloudflare's visitor location headers where a proxy of one's own is
 * trusted to set them.
 */
export function geoOf(request: Request, trustHeaders: boolean): Geo {
  if (trustHeaders) {
    const country = countryCode(decoded(request.headers.get("cf-ipcountry")));
    return {
      country,
      region: name(decoded(request.headers.get("cf-region"))),
      city: name(decoded(request.headers.get("cf-ipcity"))),
    };
  }
  const { cf } = request;
  if (!isRealPlace(cf)) return NOWHERE;
  return { country: countryCode(cf["country"]), region: name(cf["region"]), city: name(cf["city"]) };
}

/** False where nothing is known, and for the local runtime's placeholder. */
export function isRealPlace(cf: Request["cf"]): cf is NonNullable<Request["cf"]> {
  return cf !== undefined && cf["asn"] !== PLACEHOLDER_ASN;
}

/** Header values arrive as bytes: names are UTF-8. */
function decoded(value: string | null): string | null {
  if (value === null) return null;
  try {
    const bytes = Uint8Array.from(value, (c) => c.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return value;
  }
}

/** XX (unknown) and T1 (Tor) are no countries. */
function countryCode(value: unknown): string | null {
  return typeof value === "string" && /^[A-Z]{2}$/.test(value) && value !== "XX" ? value : null;
}

function name(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value.slice(0, 100) : null;
}
