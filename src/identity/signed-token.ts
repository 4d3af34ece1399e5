import { base64url, fromBase64, hmac, sameSecret } from "../lib/crypto";

const LONGEST = 500;
const SIGNATURE_BYTES = 16;

/**
 * `<payload>.<signature>`, both base64url: JSON of the value, and 128 bits of HMAC-SHA256 over shop and payload.
 *
 * @param secret of one purpose only, so that a token of another purpose never fits
 * @param shop public id of the shop; it is signed, not carried
 */
export async function makeSignedToken(secret: string, shop: string, value: unknown): Promise<string> {
  const payload = base64url(new TextEncoder().encode(JSON.stringify(value)));
  return `${payload}.${await signatureOf(secret, shop, payload)}`;
}

/** The value that a token carries, still to be parsed; null unless it was signed with this secret for this shop. */
export async function readSignedToken(secret: string, shop: string, token: string): Promise<unknown> {
  const [payload, signature, ...rest] = token.slice(0, LONGEST).split(".");
  if (!payload || !signature || rest.length > 0 || token.length > LONGEST) return null;
  if (!(await sameSecret(signature, await signatureOf(secret, shop, payload)))) return null;
  const bytes = fromBase64(payload);
  if (!bytes) return null;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

async function signatureOf(secret: string, shop: string, payload: string): Promise<string> {
  return base64url(new Uint8Array(await hmac(secret, `${shop}.${payload}`)).slice(0, SIGNATURE_BYTES));
}
