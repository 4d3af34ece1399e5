import { base64url, fromBase64, hmac, hmacMatches } from "../../lib/crypto";

/** How long a merchant may take on Shopify's page, ms. */
const LIFETIME_MS = 10 * 60_000;

/** What an install remembers in the browser that began it. */
export interface InstallState {
  nonce: string;
  domain: string;
  expiresAt: number;
}

export function newInstallState(domain: string, now: number): InstallState {
  return { nonce: base64url(crypto.getRandomValues(new Uint8Array(24))), domain, expiresAt: now + LIFETIME_MS };
}

/** The cookie's value: the state, and its HMAC under a key of ours. */
export async function signState(key: string, { nonce, domain, expiresAt }: InstallState): Promise<string> {
  const text = `${nonce}~${domain}~${expiresAt}`;
  return `${text}~${base64url(await hmac(`${key}:install`, text))}`;
}

/** The state of a cookie that `signState` made and that has not expired; null for any other. */
export async function readState(keys: readonly string[], value: string, now: number): Promise<InstallState | null> {
  const [nonce = "", domain = "", expiry = "", signature = ""] = value.split("~");
  const bytes = fromBase64(signature);
  if (bytes?.length !== 32 || !(now < Number(expiry))) return null;
  for (const key of keys) {
    if (await hmacMatches(`${key}:install`, `${nonce}~${domain}~${expiry}`, bytes)) {
      return { nonce, domain, expiresAt: Number(expiry) };
    }
  }
  return null;
}
